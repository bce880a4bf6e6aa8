"""Writes down what becomes of orders: marks in `control`, entries in the audit, dead letters."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from contracts.control import MARK, Control
from state.audit import Audit, Entry
from streams.control.schedule import Order
from streams.control.seal import Seal
from streams.dead_letters import dead_letter
from streams.decode import Dead
from streams.shards import Message
from streams.worker.owned_shard import OwnedShard
from streams.worker.sender import Sender
from streams.worker.waits import Retry

DONE, REFUSED = "done", "refused: "
NOTHING: Mapping[str, int] = MappingProxyType({})


class Ledger:
    """Waits for Kafka and Redis where they are away."""

    def __init__(self, seal: Seal, sender: Sender, audit: Audit, retry: Retry) -> None:
        self.seal = seal
        self._sender = sender
        self._audit = audit
        self._retry = retry

    async def mark(self, standing: Sequence[OwnedShard]) -> None:
        """Say in the log that shards obey their next order where they stand now."""
        await self._sender.send([self._mark(owned) for owned in standing])

    async def give(self, orders: Sequence[Control]) -> None:
        """Give orders that follow from others."""
        if orders:
            await self._sender.send([self.seal.sealed(order) for order in orders])

    def _mark(self, owned: OwnedShard) -> Message:
        assert owned.order is not None  # noqa: S101 - it stands at its place
        here = {topic: {owned.partition: owned.next[topic]} for topic in owned.unit.topics}
        return self.seal.sealed(Control(owned.order.asked.id, MARK, here, time.time()))

    async def enter(
        self, order: Order, owned: OwnedShard, outcome: str, counts: Mapping[str, int] = NOTHING
    ) -> None:
        """Tell the audit what was done in a shard; once, however often it is done."""
        asked = order.asked
        entry = Entry(
            asked.id,
            asked.action,
            owned.unit.topics[0],
            owned.partition,
            outcome,
            {topic: owned.next[topic] for topic in owned.unit.topics},
            asked.learner,
            asked.version,
            asked.since,
            asked.who,
            asked.why,
            asked.ts,
            time.time(),
            asked.person,
            dict(counts),
        )
        await self._retry.until_answered(lambda: self._audit.add(entry))

    async def bury(self, topic: str, dead: Sequence[tuple[Any, Dead]]) -> None:
        """Make dead letters of messages of a topic that all workers read, unless one has done so.

        The mark in the audit says which were reported already.
        """
        if not dead:
            return
        begin = await self._retry.until_answered(lambda: self._audit.buried(topic))
        new = [(record, why) for record, why in dead if record.offset >= begin]
        if new:
            await self._sender.send([dead_letter(r, topic, 0, why) for r, why in new])
            until = new[-1][0].offset + 1
            await self._retry.until_answered(lambda: self._audit.bury(topic, until))
