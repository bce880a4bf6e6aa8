"""Which shards are ours: opens what is assigned, notices what another worker has claimed."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from faust.types import TP

from streams.kafka.ends import Ends
from streams.kafka.link import ConsumerLink
from streams.shards import Unit
from streams.worker.holding import Holding
from streams.worker.holdings import Holdings
from streams.worker.opening import Opening
from streams.worker.outbox import Outbox
from streams.worker.waits import Retry

log = logging.getLogger(__name__)
REJOIN_S = 3.0  # more than a heartbeat: who is no member any longer has heard so by then


class Ownership:
    """Opens and drops shards; `failed` is told what ends the worker."""

    def __init__(
        self,
        holdings: Holdings,
        opening: Opening,
        outbox: Outbox,
        ends: Ends,
        link: ConsumerLink,
        retry: Retry,
    ) -> None:
        self.failed: Callable[[BaseException], None]
        self.opened = 0
        self._lost: dict[TP, int] = {}
        self._holdings = holdings
        self._opening = opening
        self._outbox = outbox
        self._ends = ends
        self._link = link
        self._retry = retry
        self._waits = retry.waits
        self._task: asyncio.Task[None] | None = None

    def open(self, tps: set[TP]) -> None:
        """Begin to open the shards of what is assigned now."""
        self._waits.declare("state", "loading the state of the partitions")
        self._start(self._open_all(tps))

    async def end(self) -> None:
        """Open nothing more."""
        task, self._task = self._task, None
        self._lost.clear()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def drop(self, holding: Holding) -> None:
        """Give a shard up; what it still wanted published is forgotten."""
        self._holdings.drop(holding)
        self._outbox.discard(holding)

    async def _open_all(self, tps: set[TP]) -> None:
        self._lost.clear()
        for unit in self._holdings.units:
            await self._open_unit(unit, tps)
        self._waits.over("state")
        self._waits.over("start")

    async def _open_unit(self, unit: Unit, tps: set[TP]) -> None:
        for holding in self._holdings.of(unit):
            self.drop(holding)
        await self._retry.until_answered(lambda: self._check_counts(unit))
        await self._retry.until_answered(lambda: self._opening.shared(unit))
        for partition in self._holdings.partitions(unit, tps):
            await self._open(unit, partition)

    async def _check_counts(self, unit: Unit) -> None:
        there = {self._holdings.tp(topic, 0).topic: topic for topic in unit.topics}
        counts = await self._ends.counts(there)
        self._opening.check_counts({there[name]: count for name, count in counts.items()})

    async def _open(self, unit: Unit, partition: int) -> None:
        tps = self._holdings.tps(unit, partition)
        found = await self._retry.until_answered(lambda: self._ends.bounds(tps))
        bounds = {topic: found[tp] for tp, topic in tps.items()}
        holding = await self._retry.until_answered(
            lambda: self._opening.shard(unit, partition, bounds)
        )
        laps = await self._link.seek_to({tp: holding.taken[topic] for tp, topic in tps.items()})
        holding.laps = {topic: laps.get(tp, 0) for tp, topic in tps.items()}
        self.opened += 1
        log.info("'%s' goes on at %s", holding.name, holding.taken)

    async def look(self, held: list[Holding]) -> bool:
        """Return whether all of these are still ours; drop those that are not.

        Raises:
            one of `state.connection.away()`: Redis is away.
        """
        now = time.monotonic()
        epochs = await self._opening.epochs([holding.name for holding in held])
        for holding, epoch in zip(held, epochs, strict=True):
            if epoch == holding.epoch:
                holding.looked_at = now
            else:
                self.fenced(holding)
        return not any(holding.closed for holding in held)

    def fenced(self, holding: Holding) -> None:
        """Drop a shard that another worker has claimed; reload if it is ours all the same."""
        if holding.closed:
            return
        log.warning("'%s' was claimed by another worker; its state is dropped", holding.name)
        self._lost |= self._holdings.done([holding])
        self.drop(holding)
        if self._task is None:
            self._start(self._reopen())

    async def _reopen(self) -> None:
        """Reload all if the group still gives them to us: a commit tells, it takes a member."""
        self._waits.declare("state", "a partition was claimed by another worker")
        while True:
            await asyncio.sleep(REJOIN_S)
            if await self._link.commit(self._lost):
                await self._open_all(self._link.assignment())
                return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if self._task is not task:
            return
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)
        elif self._lost:  # claimed by another while the rest was being opened
            self._start(self._reopen())
