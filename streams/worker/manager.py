"""Keeps the shards of this worker: what Faust's consumer asks, and how the worker ends.

What is assigned is opened, what comes is folded, what is taken away is finished, saved, dropped.
Everything runs on the app's event loop.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from faust.types import TP

from contracts.errors import HeadwaterError, WorkerStalled
from streams.kafka.link import ConsumerLink
from streams.kafka.thread import Fetched
from streams.worker.outbox import Outbox
from streams.worker.owned_shards import OwnedShards
from streams.worker.ownership import Ownership
from streams.worker.processor import BatchProcessor
from streams.worker.saver import ShardSaver
from streams.worker.waits import SHORTEST_S

log = logging.getLogger(__name__)
FOLD_S = 1.5  # a graceful stop folds for so long, then
FINISH_S = 2.0  # waits so long for effects, and so long for a Redis that is away
SAVE_S = 20.0


class ShardManager:
    """The middle of a worker; `ended` is called once when it cannot go on."""

    def __init__(
        self,
        owned_shards: OwnedShards,
        ownership: Ownership,
        processor: BatchProcessor,
        saver: ShardSaver,
        outbox: Outbox,
        link: ConsumerLink,
    ) -> None:
        self.owned_shards = owned_shards
        self.ownership = ownership
        self.processor = processor
        self.saver = saver
        self.outbox = outbox
        self.link = link
        self.error: HeadwaterError | None = None
        self.ended: Callable[[], None] = lambda: None
        self.away: tuple[type[Exception], ...] = ()
        ownership.failed = self.fail

    @property
    def moved(self) -> int:
        """A number that changes with whatever moves.

        Who stands at an order's place may wait there for a shard that is followed.
        """
        stands = any(owned.stands for owned in self.owned_shards)
        moving = self.owned_shards.all if stands else self.owned_shards
        done = sum(sum(owned.done.values()) for owned in moving)
        return done + self.processor.batches + self.ownership.opened

    async def room(self) -> None:
        """Return when more records may be handed over."""
        await self.processor.room()

    def took(self, messages: int) -> None:
        """So many messages are on their way."""
        self.processor.took(messages)

    async def handle(self, fetched: Sequence[Fetched]) -> None:
        """Fold the records of one topic that one fetch brought."""
        await self.processor.handle(fetched, self.fail)

    def counted(self, tp: TP) -> int | None:
        """Return up to where a partition's records count."""
        owned, topic = self.owned_shards.find(tp)
        return None if owned is None else owned.done[topic]

    def assign(self, tps: set[TP]) -> None:
        """Open the shards of what is assigned, and let them flow."""
        self.processor.forget()
        self.ownership.open(tps)

    async def revoke(self) -> None:
        """Finish what is in hand, save, commit, drop."""
        await self.ownership.end()
        self._close()
        if self.error is None and len(self.owned_shards):
            if await self.outbox.empty(FINISH_S):
                await self._save()
            await self.link.commit(self.owned_shards.done(list(self.owned_shards)))
        for owned in self.owned_shards.all:
            self.ownership.drop(owned)

    async def stop(self) -> None:
        """Fold what was handed over, then give everything back."""
        self.processor.stop()
        self.ownership.stop()
        deadline = time.monotonic() + FOLD_S
        while not self.processor.idle and self.error is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        await self.revoke()

    def fail(self, error: BaseException) -> None:
        """End the worker; the first error names the reason."""
        if self.error is not None:
            return
        if not isinstance(error, HeadwaterError):
            log.error("a task of the worker died", exc_info=error)
            error = WorkerStalled(f"a task of the worker died: {error!r}; see the log")
        self.error = error
        self._close()
        self.ended()

    def _close(self) -> None:
        for owned in self.owned_shards.all:
            owned.closing = True

    async def save(self, hurried: bool = False) -> None:
        """Save every unit at one instant.

        Raises:
            one of `state.connection.away()`: Redis is away; nothing is half saved.
        """
        await self.saver.save(*self.owned_shards.units, hurried=hurried)

    async def save_if_there(self) -> None:
        """Save every unit now, or another time if Redis is away."""
        with contextlib.suppress(*self.away):
            await self.save()

    async def _save(self) -> None:
        again_until = time.monotonic() + FINISH_S
        try:
            async with asyncio.timeout(SAVE_S):
                while True:
                    try:
                        return await self.save(hurried=True)
                    except self.away:
                        if time.monotonic() > again_until:
                            raise
                    await asyncio.sleep(SHORTEST_S)
        except self.away as error:
            log.warning("not saved, so more will be replayed: %r", error)
