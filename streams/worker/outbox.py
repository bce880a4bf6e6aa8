"""Effects go out in the order of their batches; then, and only then, their offsets count.

While the effects of one batch are under way the next is handled, so Redis and the learners work
at the same time. A bounded number of batches waits here, which is what slows the worker down
when Kafka or Redis do.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from contracts.metrics import FRESHNESS, STAGE_SECONDS
from streams.shards import Batch, Effects, Telemetry
from streams.worker.owned_shard import OwnedShard
from streams.worker.sender import Sender
from streams.worker.waits import Backoff, Waits

ROOM = 4  # batches that may wait
LOOK_EVERY_S = 3.0  # a pause shorter than this costs nobody their partitions


class Entry(NamedTuple):
    """What one batch asks for, and what counts afterwards."""

    owned: OwnedShard
    batch: Batch
    effects: Effects

    @property
    def until(self) -> int:
        """The offset that counts when this is done."""
        return self.batch.records[-1].offset + 1


class Outbox:
    """Delivers effects one batch after the other.

    Args:
        sender: produces messages.
        waits: where a wait for Kafka or Redis is declared.
        away: the errors that mean Redis does not answer.

    `look` tells whether a shard is still ours; `stuck` is True while Redis is waited for.
    """

    def __init__(
        self,
        sender: Sender,
        waits: Waits,
        telemetry: Telemetry,
        away: tuple[type[Exception], ...],
    ) -> None:
        self._sender = sender
        self._waits = waits
        self._telemetry = telemetry
        self._away = away
        self.look: Callable[[OwnedShard], Awaitable[bool]]
        self.stuck = False
        self._entries: deque[Entry] = deque()
        self._changed = asyncio.Event()
        self._new = asyncio.Event()

    async def room(self) -> None:
        """Return when a batch may be put in."""
        while len(self._entries) >= ROOM:
            await self._change()

    def put(self, entry: Entry) -> None:
        """Take a batch's effects."""
        self._entries.append(entry)
        self._new.set()

    async def empty(self, timeout: float) -> bool:
        """Return whether everything that is in now has gone out within so many seconds."""
        try:
            async with asyncio.timeout(timeout):
                while self._entries:
                    await self._change()
        except TimeoutError:
            return False
        return True

    def discard(self, owned: OwnedShard) -> None:
        """Forget what was not yet begun for a shard that is no longer ours."""
        for entry in [e for i, e in enumerate(self._entries) if i and e.owned is owned]:
            self._entries.remove(entry)

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            await self._new.wait()
            self._new.clear()
            while self._entries:
                entry = self._entries[0]
                if await self._deliver(entry):
                    entry.owned.done[entry.batch.topic] = entry.until
                self._entries.popleft()
                self._changed.set()
                self._changed = asyncio.Event()

    async def _change(self) -> None:
        await self._changed.wait()

    async def _deliver(self, entry: Entry) -> bool:
        """Return whether it went out; False where the shard is no longer ours."""
        backoff = Backoff()
        while not entry.owned.closed:
            try:
                if not await self._still_ours(entry.owned):
                    return False
                await self._go(entry)
            except self._away as error:
                self.stuck = True
                self._waits.declare("redis", str(error) or type(error).__name__)
                await backoff.sleep()
            else:
                if self.stuck:
                    self._waits.over("redis")
                self.stuck = False
                return True
        self.stuck = False
        return False

    async def _still_ours(self, owned: OwnedShard) -> bool:
        if time.monotonic() - owned.looked_at < LOOK_EVERY_S:
            return True
        return await self.look(owned)

    async def _go(self, entry: Entry) -> None:
        start, effects = time.perf_counter(), entry.effects
        if effects.messages:
            await self._sender.send(effects.messages)
        if effects.publish is not None:
            await effects.publish()
            self._telemetry.observe(STAGE_SECONDS, time.perf_counter() - start, stage="publish")
            self._fresh(entry.batch)

    def _fresh(self, batch: Batch) -> None:
        # One produce request gives all its records one time, so there are few different ones.
        times = Counter(record.timestamp for record in batch.records)
        now = time.time()
        ages = [now - stamp / 1000 for stamp in times]
        self._telemetry.observe_many(FRESHNESS, ages, list(times.values()))
