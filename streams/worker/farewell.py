"""Forgets a person in the shard that knows them, at the place where the log says so.

The order names nobody, only an alias: `control` is kept for ever. Who it is, the shard finds among
its own people. A list that is on its way to Redis must not come after the command that takes it
away, so the shard's effects are waited for; both go the same way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from contracts.control import Control
from contracts.topics import INTERACTIONS, REKEYED
from streams.control.schedule import Order, Schedule
from streams.shards import Batch, Forgetting, Forgotten, Record
from streams.worker.owned_shard import OwnedShard
from streams.worker.standstill import Standstill
from streams.worker.waits import Retry

# Which records of a shard's topics, before these offsets, mention a name.
Mentions = Callable[[int, Mapping[str, int], str], Awaitable[Mapping[str, Sequence[Record]]]]

NOTHING = Forgotten({})


class Farewell:
    """Forgets; `mentions` reads the log."""

    def __init__(self, mentions: Mentions, retry: Retry, standstill: Standstill) -> None:
        self._standstill = standstill
        self._mentions = mentions
        self._retry = retry

    async def to(self, owned: OwnedShard, order: Order, schedule: Schedule) -> Forgotten | None:
        """Return what is gone; None if the shard was taken away meanwhile.

        The shard stands at the order's place.
        """
        shard = owned.shard
        if not isinstance(shard, Forgetting):
            return NOTHING
        user = await asyncio.to_thread(shard.called, order.asked.person)
        past = None
        if user and order.asked.exact and shard.asks_log(user):
            past = await self._past(owned, user, schedule)
        await owned.effects_done(owned.next)
        await self._standstill.over()
        if owned.closed:
            return None
        if not user:
            return NOTHING
        return shard.forget(user, past, order.position >= owned.shared_position)

    async def unpublish(self, owned: OwnedShard, forgotten: Forgotten) -> None:
        """Take away what Redis holds of a person."""
        if forgotten.publish is not None and not owned.followed:
            await self._retry.until_answered(forgotten.publish)

    async def _past(self, owned: OwnedShard, user: str, schedule: Schedule) -> list[Batch]:
        """Return what the log says of a user, told apart by what was frozen."""
        topics, partition = owned.unit.topics, owned.partition
        until = {topic: owned.next[topic] for topic in topics}
        found = await self._retry.until_answered(lambda: self._mentions(partition, until, user))
        frozen = schedule.frozen_from(owned.models, topics, partition)
        return [
            Batch(topic, partition, [record], frozen=_at(frozen[topic], record.offset))
            for topic, records in found.items()
            for record in records
        ]


def farewells(order: Order, forgotten: Forgotten) -> list[Control]:
    """Return orders to forget whom a person has been; or a replay would learn their events again.

    However often they are given, they are the same.
    """
    asked = order.asked
    return [
        msgspec.structs.replace(
            asked,
            id=f"{asked.id[:40]}-guest-{n}",
            at={topic: {partition: 0} for topic in (INTERACTIONS.name, REKEYED.name)},
            person=person,
        )
        for n, (person, partition) in enumerate(forgotten.guests)
    ]


def _at(cuts: Sequence[tuple[int, frozenset[str]]], offset: int) -> frozenset[str]:
    return [frozen for begin, frozen in cuts if begin <= offset][-1]
