"""Which shards are ours: opens what is assigned, notices what another worker has claimed."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from faust.types import TP

from contracts.errors import StateRefused
from streams.kafka.link import ConsumerLink
from streams.kafka.log_ends import Bounds, LogEnds
from streams.shards import Sharing, Unit
from streams.worker.alone import Alone, Work
from streams.worker.loader import ShardLoader
from streams.worker.outbox import Outbox
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.waits import Retry

log = logging.getLogger(__name__)
REJOIN_S = 3.0  # more than a heartbeat: who is no member any longer has heard so by then


async def nothing_to_read() -> None:
    """Be where there are no orders."""


class Ownership:
    """Opens and drops shards; `failed` is told what ends the worker.

    `caught_up` returns when all orders are known, without which nothing is opened; `opened_one`
    is told of a shard before its first record.
    """

    def __init__(
        self,
        owned_shards: OwnedShards,
        loader: ShardLoader,
        outbox: Outbox,
        ends: LogEnds,
        link: ConsumerLink,
        retry: Retry,
    ) -> None:
        self.failed: Callable[[BaseException], None]
        self.caught_up: Callable[[], Awaitable[None]] = nothing_to_read
        self.opened_one: Callable[[OwnedShard], None] = lambda _: None
        self.opened = 0
        self._stopped = False
        self._lost: dict[TP, int] = {}
        self._owned_shards = owned_shards
        self._loader = loader
        self._outbox = outbox
        self._ends = ends
        self._link = link
        self._retry = retry
        self._waits = retry.waits
        self._alone = Alone()
        self._task: asyncio.Task[None] | None = None

    @property
    def opening(self) -> bool:
        """Whether shards are still to be opened."""
        return self._task is not None

    def open(self, tps: set[TP]) -> None:
        """Begin to open the shards of what is assigned now."""
        self._waits.declare("state", "loading the state of the partitions")
        self._start(lambda: self._open_all(tps))

    def reload(self, unit: Unit) -> None:
        """Drop a unit's shards, whose state is half changed, and open them from their snapshots."""
        for owned in self._owned_shards.all_of(unit):
            self.drop(owned)
        self.open(self._link.assignment())

    def stop(self) -> None:
        """Begin to open nothing from now on, whatever is still assigned."""
        self._stopped = True

    async def end(self) -> None:
        """Break off what is being opened."""
        self._task = None
        self._lost.clear()
        self._loader.returning.clear()  # whoever opens the shards next begins to go back anew
        await self._alone.end()

    def drop(self, owned: OwnedShard) -> None:
        """Give a shard up; what it still wanted published is forgotten."""
        self._owned_shards.drop(owned)
        self._outbox.discard(owned)

    async def _open_all(self, tps: set[TP]) -> None:
        self._lost.clear()
        await self._retry.until_answered(self.caught_up)
        for unit in self._owned_shards.units:
            await self._open_unit(unit, tps)
        self._waits.over("state")
        self._waits.over("start")
        for unit in self._owned_shards.units:
            if isinstance(unit, Sharing):
                await self._follow_others(unit)

    async def _open_unit(self, unit: Unit, tps: set[TP]) -> None:
        for owned in self._owned_shards.all_of(unit):
            self.drop(owned)
        await self._retry.until_answered(lambda: self._check_counts(unit))
        partitions = self._owned_shards.partitions(unit, tps)
        await self._retry.until_answered(lambda: self._loader.shared(unit, partitions))
        for partition in partitions:
            await self._open(unit, partition)

    async def check_counts(self) -> None:
        """Compare the partition counts of all topics with those when we started.

        Raises:
            TopicsDiffer: a topic is gone, or has another count.
            KafkaError: no broker answers in time.
        """
        for unit in self._owned_shards.units:
            await self._check_counts(unit)

    async def _check_counts(self, unit: Unit) -> None:
        there = {self._owned_shards.tp(topic, 0).topic: topic for topic in unit.topics}
        counts = await self._ends.counts(there)
        self._loader.check_counts({there[name]: count for name, count in counts.items()})

    async def _open(self, unit: Unit, partition: int) -> None:
        tps = self._owned_shards.tps(unit, partition)
        bounds = await self._bounds(tps)
        owned = await self._retry.until_answered(
            lambda: self._loader.shard(unit, partition, bounds)
        )
        self.opened_one(owned)
        laps = await self._link.seek_to({tp: owned.taken[topic] for tp, topic in tps.items()})
        owned.laps = {topic: laps.get(tp, 0) for tp, topic in tps.items()}
        self.opened += 1
        log.info("state '%s' goes on at %s", owned.name, owned.taken)

    async def _follow_others(self, unit: Sharing) -> None:
        """Open what other workers own, so that what is shared here learns from it too."""
        own = {owned.partition for owned in self._owned_shards.of(unit)}
        for partition in sorted(set(self._loader.partitions(unit)) - own) if own else []:
            try:
                await self._follow(unit, partition)
            except StateRefused as error:
                log.warning("partition %d is not followed: %s", partition, error)

    async def _follow(self, unit: Sharing, partition: int) -> None:
        bounds = await self._bounds(self._owned_shards.tps(unit, partition))
        followed = await self._retry.until_answered(
            lambda: self._loader.follow(unit, partition, bounds)
        )
        self.opened_one(followed)
        log.info("partition '%s' is followed from %s", followed.name, followed.taken)

    async def _bounds(self, tps: Mapping[TP, str]) -> dict[str, Bounds]:
        found = await self._retry.until_answered(lambda: self._ends.bounds(tps))
        return {topic: found[tp] for tp, topic in tps.items()}

    async def look(self, held: list[OwnedShard]) -> bool:
        """Return whether all of these are still ours; drop those that are not.

        Raises:
            one of `state.connection.away()`: Redis is away.
        """
        now = time.monotonic()
        epochs = await self._loader.epochs([owned.name for owned in held])
        for owned, epoch in zip(held, epochs, strict=True):
            if epoch == owned.epoch:
                owned.looked_at = now
            else:
                self.fenced(owned)
        return not any(owned.closed for owned in held)

    def fenced(self, owned: OwnedShard) -> None:
        """Drop a shard whose claim is void; reload if it is ours all the same."""
        if owned.closed:
            return
        log.warning(
            "'%s' was claimed by another worker, or Redis was started anew and may have lost its "
            "last second; the state is dropped",
            owned.name,
        )
        self._lost |= self._owned_shards.done([owned])
        self.drop(owned)
        if self._task is None:
            self._start(self._reopen)

    async def _reopen(self) -> None:
        """Reload all if the group still gives them to us: a commit tells, it takes a member."""
        self._waits.declare("state", "the claim of a partition is void")
        while True:
            await asyncio.sleep(REJOIN_S)
            if await self._link.commit(self._lost):
                await self._open_all(self._link.assignment())
                return

    def _start(self, work: Work) -> None:
        if not self._stopped:
            self._task = self._alone.start(work)
            self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if self._task is not task:
            return
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)
        elif self._lost:  # a claim was void while the rest was being opened
            self._start(self._reopen)
