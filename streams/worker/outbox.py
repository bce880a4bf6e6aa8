"""Effects go out in the order of their batches; then, and only then, their offsets count.

While effects are under way the next batches are handled, so Redis and the learners work at the
same time. What has come meanwhile goes out together: one answer of Redis takes 2.4 ms beside a
busy worker, and batches that went one by one waited for each other at 400 a second. A bounded
number of records waits here, which is what slows the worker down when Kafka or Redis do.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from contracts.metrics import FRESHNESS, STAGE_SECONDS
from streams.shards import Batch, Effects, Publish, Telemetry
from streams.worker.owned_shard import OwnedShard
from streams.worker.sender import Sender
from streams.worker.waits import Backoff, Waits

ROOM = 4_000  # records whose effects may wait
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
    """Delivers effects in the order of their batches.

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
        self._begun = 0
        self._changed = asyncio.Event()
        self._new = asyncio.Event()

    async def room(self) -> None:
        """Return when a batch may be put in."""
        while sum(len(entry.batch.records) for entry in self._entries) >= ROOM:
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
        waiting = list(self._entries)[self._begun :]
        for entry in [e for e in waiting if e.owned is owned]:
            self._entries.remove(entry)

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            await self._new.wait()
            self._new.clear()
            while self._entries:
                await self._deliver(list(self._entries))

    async def _change(self) -> None:
        await self._changed.wait()

    async def _deliver(self, entries: Sequence[Entry]) -> None:
        self._begun = len(entries)
        for entry in await self._out(entries):
            entry.owned.done[entry.batch.topic] = entry.until
        for _ in entries:
            self._entries.popleft()
        self._begun = 0
        self._changed.set()
        self._changed = asyncio.Event()

    async def _out(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return those that went out; the shards of the others are no longer ours."""
        backoff = Backoff()
        while True:
            try:
                entries = await self._ours(entries)
                await self._go(entries)
            except self._away as error:
                self.stuck = True
                self._waits.declare("redis", str(error) or type(error).__name__)
                await backoff.sleep()
            else:
                if self.stuck and entries:
                    self._waits.over("redis")
                self.stuck = False
                return entries

    async def _ours(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        for owned in {id(entry.owned): entry.owned for entry in entries}.values():
            if not await self.ours(owned):
                entries = [entry for entry in entries if entry.owned is not owned]
        return [entry for entry in entries if not entry.owned.closed]

    async def ours(self, owned: OwnedShard) -> bool:
        """Return whether a shard is still ours; Redis is asked if that was long ago."""
        if owned.closed:
            return False
        if time.monotonic() - owned.looked_at < LOOK_EVERY_S:
            return True
        return await self.look(owned)

    async def _go(self, entries: Sequence[Entry]) -> None:
        start = time.perf_counter()
        messages = [message for entry in entries for message in entry.effects.messages]
        if messages:
            await self._sender.send(messages)
        publishing = [(e.effects.publish, e.batch) for e in entries if e.effects.publish]
        if publishing:
            await _all([publish for publish, _ in publishing])
            self._telemetry.observe(STAGE_SECONDS, time.perf_counter() - start, stage="publish")
            self._fresh([batch for _, batch in publishing])

    def _fresh(self, batches: Sequence[Batch]) -> None:
        # One produce request gives all its records one time, so there are few different ones.
        times = Counter(record.timestamp for batch in batches for record in batch.records)
        now = time.time()
        ages = [now - stamp / 1000 for stamp in times]
        self._telemetry.observe_many(FRESHNESS, ages, list(times.values()))


async def _all(publishes: Sequence[Publish]) -> None:
    """Begin them in order; raise the first error when none is under way any longer."""
    if len(publishes) == 1:
        await publishes[0]()
        return
    told = await asyncio.gather(*(publish() for publish in publishes), return_exceptions=True)
    for error in told:
        if error is not None:
            raise error
