"""Has orders carried out: at one place in the log of each shard, the same in every replay.

The place is what the log says. An order asks for nothing before the logs' ends at its time; the
worker that has come so far writes a mark, where it stands now, and goes on when it reads it back.
So an order costs a busy partition some ten milliseconds, and nobody has to be taken back. Who
replays has read all orders and marks before, and stops at the same places.

What changes state that shards share happens once, when all shards of the worker stand there, those
it follows too; the first to come wait for the others. Marks are written by a shard's owner.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from contracts.control import FORGET, ROLLBACK
from contracts.metrics import FROZEN
from contracts.topics import CONTROL
from streams.control.schedule import Order, Place, Schedule
from streams.decode import Dead, DeadMessage
from streams.kafka.link import ConsumerLink
from streams.shards import Telemetry, Unit
from streams.worker import deeds
from streams.worker.farewell import Farewell, farewells
from streams.worker.ledger import DONE, Ledger
from streams.worker.loader import ShardLoader
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.rollback import Rollback

LOOK_EVERY_S = 1.0


class Steward:
    """Carries orders out.

    `opening` tells whether shards are still missing, `save` saves, `rollback` knows the way back,
    `farewell` how to forget.
    """

    def __init__(
        self,
        owned_shards: OwnedShards,
        loader: ShardLoader,
        ledger: Ledger,
        link: ConsumerLink,
        telemetry: Telemetry,
    ) -> None:
        self.schedule = Schedule()
        self.opening: Callable[[], bool] = lambda: False
        self.save: Callable[[], Awaitable[None]]
        self.rollback: Rollback
        self.farewell: Farewell
        self._owned_shards = owned_shards
        self._loader = loader
        self._ledger = ledger
        self._link = link
        self._telemetry = telemetry
        self._shown: set[tuple[str, int]] = set()
        self._nudged = asyncio.Event()
        self._unsaid: list[tuple[OwnedShard, Order, Mapping[str, int]]] = []

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages of `control`, whatever they are."""
        dead: list[tuple[Any, Dead]] = []
        for record in records:
            try:
                self.schedule.add(record.offset, self._ledger.seal.read(record))
            except DeadMessage as error:
                dead.append((record, error.dead))
        for owned in self._owned_shards.all:
            self.plan(owned)
        self.nudge()
        await self._ledger.bury(CONTROL.name, dead)

    def plan(self, owned: OwnedShard) -> None:
        """Let a shard know its next order, where that holds, and what is frozen until then."""
        unit, obeyed = owned.unit, owned.next[CONTROL.name]
        owned.order = self.schedule.after(unit.topics, owned.partition, owned.done[CONTROL.name])
        if owned.order is not None:
            given = self.schedule.given(owned.order, unit.topics, owned.partition)
            owned.place = self._marked(owned) or given
        here = unit.topics, owned.partition
        owned.frozen = self.schedule.frozen(owned.models, *here, obeyed)
        owned.floor = self.schedule.floor(*here, obeyed)
        owned.void = self.schedule.void(*here)
        owned.void_in_shared = self.schedule.void(*here, before=owned.shared_position)

    def nudge(self) -> None:
        """Have a look soon."""
        self._nudged.set()

    async def run(self) -> None:
        """Look whenever there may be something to do."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), LOOK_EVERY_S)
            self._nudged.clear()
            await self.look()

    async def look(self) -> None:
        """Do what can be done now."""
        for unit in self._owned_shards.units:
            await self._mark(unit)
            await self._alone(unit)
            await self._together(unit)
        for owned in self._owned_shards.all:
            await self._let_go(owned)
        await self._say()
        self._show()

    async def _mark(self, unit: Unit) -> None:
        standing = [o for o in self._owned_shards.of(unit) if o.stands and not self._marked(o)]
        new = [o for o in standing if o.order and o.marked != o.order.position]
        if new:
            for owned in new:
                owned.marked = owned.order.position if owned.order else -1
            await self._ledger.mark(new)

    async def _alone(self, unit: Unit) -> None:
        """Carry out what concerns single shards."""
        for owned in self._owned_shards.all_of(unit):
            await self._owned_shards.standstill.over()
            order = owned.order
            if order is None or owned.closed or not self._ready(owned):
                continue
            if order.asked.action == FORGET:
                await self._forget(owned, order)
            elif not deeds.is_shared(unit, order):
                if outcome := await self._carried_out([owned], order):
                    await self.obeyed([owned], order, outcome)
            elif order.position < self._loader.obeyed.get(unit, 0):
                await self.obeyed([owned], order, DONE)

    async def _forget(self, owned: OwnedShard, order: Order) -> None:
        """Forget somebody; it is said when no snapshot that is kept knows the person."""
        forgotten = await self.farewell.to(owned, order, self.schedule)
        if forgotten is None:
            return  # it was taken away meanwhile: whoever has it now does it
        owned.carry_out(order.position)  # in the same step: saved half, it would subtract twice
        self.plan(owned)
        if not owned.followed:
            await self._ledger.give(farewells(order, forgotten))
        await self.farewell.unpublish(owned, forgotten)
        self._obey([owned], order)
        await self._let_go(owned)
        if not owned.followed:
            self._unsaid.append((owned, order, forgotten.counts))

    async def _say(self) -> None:
        """Tell the audit who is forgotten, once that is saved; others are not held up meanwhile."""
        if not self._unsaid:
            return
        await self.save()
        unsaid, self._unsaid = self._unsaid, []
        for owned, order, counts in unsaid:
            if owned.saved.get(CONTROL.name, 0) > order.position:
                await self._ledger.enter(order, owned, DONE, counts)
            elif not owned.closed:
                self._unsaid.append((owned, order, counts))

    async def _together(self, unit: Unit) -> None:
        """Carry out the next order that concerns what shards share, if all of them stand there."""
        await self._owned_shards.standstill.over()
        shards = self._owned_shards.all_of(unit)
        order = self._next_shared(unit, shards)
        if order is None or self.opening() or not all(self._at(o, order) for o in shards):
            return
        if not (outcome := await self._carried_out(shards, order)):
            return
        self._loader.obeyed[unit] = order.position + 1
        await self.obeyed([o for o in shards if o.order is order], order, outcome)

    async def _carried_out(self, shards: Sequence[OwnedShard], order: Order) -> str:
        """Do to these what was asked; return the outcome, empty while it is under way."""
        unit = shards[0].unit
        if order.asked.action == ROLLBACK:
            return await self.rollback.to(shards, order)
        if deeds.is_shared(unit, order):
            return deeds.to_shared(unit, order.asked)
        return deeds.to_shard(shards[0], order.asked)

    def _next_shared(self, unit: Unit, shards: Sequence[OwnedShard]) -> Order | None:
        begin, found = self._loader.obeyed.get(unit, 0), list[Order]()
        for owned in shards:
            order = self.schedule.after(unit.topics, owned.partition, begin)
            while order is not None and not deeds.is_shared(unit, order):
                order = self.schedule.after(unit.topics, owned.partition, order.position + 1)
            found += [order] if order is not None else []
        return min(found, default=None, key=lambda order: order.position)

    def _at(self, owned: OwnedShard, order: Order) -> bool:
        """Tell whether a shard stands at an order's place or has passed it."""
        if owned.order is None or owned.order.position > order.position:
            return True
        return owned.order is order and self._ready(owned)

    def _ready(self, owned: OwnedShard) -> bool:
        return owned.stands and self._marked(owned) is not None

    def _marked(self, owned: OwnedShard) -> Place | None:
        if owned.order is None:
            return None
        return self.schedule.marked(owned.order, owned.unit.topics, owned.partition)

    async def obeyed(self, shards: Sequence[OwnedShard], order: Order, outcome: str) -> None:
        """Go on behind an order that was carried out, and say what came of it."""
        late = [o for o in shards if any(o.next[t] > at for t, at in o.place.items())]
        self._obey(shards, order)
        for owned in shards:
            said = f"{outcome}, late" if owned in late else outcome
            if not owned.followed:  # its owner says so
                await self._ledger.enter(order, owned, said)
            await self._let_go(owned)
        await self.save()

    def _obey(self, shards: Sequence[OwnedShard], order: Order) -> None:
        for owned in shards:
            owned.obey(order.position)
            self.plan(owned)
        self.nudge()

    async def _let_go(self, owned: OwnedShard) -> None:
        """Have what was dropped while waiting fetched again."""
        if not (free := owned.free) or owned.closed:
            return
        if owned.followed:
            owned.let_go(dict.fromkeys(free, 0))
            return
        tps = {self._owned_shards.tp(topic, owned.partition): topic for topic in free}
        laps = await self._link.seek_to({tp: owned.next[topic] for tp, topic in tps.items()})
        if not owned.closed:
            owned.let_go({topic: laps.get(tp, 0) for tp, topic in tps.items()})

    def _show(self) -> None:
        now = {(m, o.partition): m in o.frozen for o in self._owned_shards for m in o.models}
        for model, partition in self._shown - set(now):
            self._telemetry.forget(FROZEN, model=model, partition=partition)
        for (model, partition), frozen in now.items():
            self._telemetry.set(FROZEN, float(frozen), model=model, partition=partition)
        self._shown = set(now)
