"""Hindsight: a worker that owns nothing and follows everything, up to where a version stands.

It opens, folds, obeys, forgets and goes back with the worker's own parts, and publishes, saves and
says nothing, as a worker does for the partitions of others. Of the orders in `control` it obeys
those that the version had obeyed. Who was forgotten stays until the place where that holds, as in a
worker that lived through it; a replay passes such events over, which comes to the same but for
numbers that count what was learned.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from faust.types import TP

from contracts.control import ROLLBACK
from contracts.settings import Settings
from contracts.topics import CONTROL
from state.audit import MemoryAudit
from state.manifest import Log
from state.snapshots import Snapshots
from streams.control.schedule import Order, Place, Schedule
from streams.control.seal import Seal
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.kafka.link import ConsumerLink
from streams.kafka.log_ends import Bounds
from streams.kafka.mentions import mentioning
from streams.shards import NoTelemetry, Record, Unit, send_nowhere
from streams.telemetry.http import Health
from streams.worker.farewell import Farewell
from streams.worker.follower import Follower
from streams.worker.ledger import REFUSED, Ledger
from streams.worker.loader import Return, ShardLoader
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.poison import Poison
from streams.worker.rollback import Rollback
from streams.worker.sender import Sender
from streams.worker.steward import Steward
from streams.worker.waits import Retry, Waits

NEVER = sys.maxsize  # an offset that no log comes to
# topic, partition, first offset, the one after the last
Read = Callable[[str, int, int, int], Iterator[Sequence[Record]]]


class Sources(NamedTuple):
    """The log and what was saved of it; topics are named without the prefix."""

    store: Snapshots
    log: Log
    bounds: Mapping[tuple[str, int], Bounds]
    schedule: Schedule
    read: Read


class Served(Interactions):
    """Shards that are followed judge too: nobody else does it here, and the head learns by it."""

    def follow(self, partition: int) -> InteractionsShard:
        """Return an empty state for a partition."""
        return self.open(partition)


class Obedient(Steward):
    """Obeys the orders before the positions of `until`, by partition; others hold nowhere."""

    until: Mapping[int, int]
    gone: str = ""  # a version that there was no way back to

    def plan(self, owned: OwnedShard) -> None:
        """Let a shard know its next order."""
        super().plan(owned)
        here = owned.unit.topics, owned.partition
        if owned.order is not None and owned.order.position >= self.until[owned.partition]:
            owned.place = dict.fromkeys(owned.unit.topics, NEVER)
        owned.void = self.schedule.void(*here, before=owned.next[CONTROL.name])

    async def obeyed(self, shards: Sequence[OwnedShard], order: Order, outcome: str) -> None:
        """Note what could not be done."""
        if order.asked.action == ROLLBACK and outcome.startswith(REFUSED):
            self.gone = order.asked.version
        await super().obeyed(shards, order, outcome)


class Hindsight:
    """Folds the log from a version on, or from its begin if that is empty."""

    def __init__(self, settings: Settings, sources: Sources, base: str) -> None:
        self.unit = Served(settings, NoTelemetry(), send_nowhere, send_nowhere)
        self._sources, self._base = sources, base
        self._shards = OwnedShards([self.unit], "")
        self._loader = ShardLoader(self._shards, sources.store, sources.log)
        self._steward = self._obedient(settings)
        self._follower = Follower(settings, self._shards, NoTelemetry())
        self._follower.poison = Poison(NoTelemetry(), self._reload)
        self._anew = True

    def _obedient(self, settings: Settings) -> Obedient:
        waits = Waits(NoTelemetry(), Health())
        retry = Retry(waits, ())
        ledger = Ledger(Seal(settings), Sender(settings, waits), MemoryAudit(), retry)
        steward = Obedient(self._shards, self._loader, ledger, ConsumerLink(), NoTelemetry())
        steward.schedule, steward.save = self._sources.schedule, _nothing
        steward.farewell = Farewell(self._mentions, retry, self._shards.standstill)
        steward.rollback = Rollback(
            self._shards, self._loader, self._sources.store, self._bounds, self._reload, retry
        )
        return steward

    async def to(self, goals: Mapping[int, Place]) -> None:
        """Fold on to these offsets by partition, or as far as orders let; never back."""
        self._steward.until = {partition: goal[CONTROL.name] for partition, goal in goals.items()}
        while True:
            if self._anew:
                await self._open()
            for owned in self._shards.followed:
                self._steward.plan(owned)
            await self._go(goals)
            if not self._anew:
                return

    async def _open(self) -> None:
        # To the loader it is on its way back, to the last order: that folds all rollbacks which
        # learn the log again, as it does in a worker.
        self._loader.returning[self.unit] = Return(self._base, NEVER)
        self._anew = False
        partitions = self._loader.partitions(self.unit)
        await self._loader.shared(self.unit, partitions)
        for partition in partitions:
            bounds = {topic: self._sources.bounds[topic, partition] for topic in self.unit.topics}
            await self._loader.follow(self.unit, partition, bounds)

    def _reload(self, _: Unit) -> None:
        """Begin anew: a shard has raised, and what it raised on is known by now."""
        for owned in self._shards.followed:
            self._shards.drop(owned)
        self._anew = True

    async def _go(self, goals: Mapping[int, Place]) -> None:
        before: list[dict[str, int]] = []
        while (now := [dict(owned.next) for owned in self._shards.followed]) != before:
            before = now
            for owned in self._shards.followed:
                for topic in owned.unit.topics:
                    await self._fold(owned, topic, goals[owned.partition][topic])
            await self._steward.look()

    async def _fold(self, owned: OwnedShard, topic: str, until: int) -> None:
        if owned.closing or owned.waits(topic) or owned.next[topic] >= until:
            return
        for records in self._sources.read(topic, owned.partition, owned.next[topic], until):
            await self._follower.fold(owned, topic, records)
            if owned.closing or owned.waits(topic):
                return
        owned.pass_over(topic, until)  # the log may have a hole there

    def stands(self, partition: int, goal: Place) -> bool:
        """Tell whether a partition has come to these offsets."""
        return all(self.at(partition).next[topic] >= offset for topic, offset in goal.items())

    def at(self, partition: int) -> OwnedShard:
        """Return a partition's shard."""
        return next(o for o in self._shards.followed if o.partition == partition)

    @property
    def gone(self) -> str:
        """A version that a rollback led to and that is not there; empty if there is none."""
        return self._steward.gone

    async def _bounds(self, tps: Sequence[TP]) -> Mapping[TP, Bounds]:
        return {tp: self._sources.bounds[tp] for tp in tps}

    async def _mentions(
        self, partition: int, until: Mapping[str, int], name: str
    ) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for topic, end in until.items():
            first = self._sources.bounds[topic, partition].first
            read = self._sources.read(topic, partition, first, end)
            found[topic] = [r for some in read for r in mentioning(some, name)]
        return found


async def _nothing() -> None: ...
