"""Folds what agents bring into shards: each record once, in order, whatever was sought."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.kafka.link import ConsumerLink
from streams.kafka.log_ends import LogEnds
from streams.kafka.thread import Fetched
from streams.shards import Batch
from streams.worker.loader import check_offset
from streams.worker.merge import over
from streams.worker.outbox import Entry, Outbox
from streams.worker.owned_shard import OwnedShard, Verdict
from streams.worker.owned_shards import OwnedShards
from streams.worker.poison import Poison
from streams.worker.waits import Retry

log = logging.getLogger(__name__)
PATIENCE_S = 0.05  # a call holds up the loop, and with it answers of Redis: they come first
# Of two topics that are merged, one may be a day ahead of the other: labels that come late. So many
# of its records are held in memory, and one fetch more; the rest waits at the broker.
MOST_HELD = 10_000


class BatchProcessor:
    """Takes what was fetched, message by message, and knows how many are on their way.

    A batch is folded in one step, without awaiting; its effects wait in the outbox. With anything
    on its way, nothing more is handed over: the broker keeps what comes meanwhile, and the next
    batches are larger, where a queue of small ones would never shorten. `arrived` is called when a
    shard has come to the place of an order.
    """

    def __init__(
        self,
        owned_shards: OwnedShards,
        outbox: Outbox,
        ends: LogEnds,
        link: ConsumerLink,
        retry: Retry,
    ) -> None:
        self.poison: Poison
        self.batches = 0
        self.arrived: Callable[[], None] = lambda: None
        self._stopping = False
        self._owned_shards = owned_shards
        self._outbox = outbox
        self._ends = ends
        self._link = link
        self._retry = retry
        self._on_their_way = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return self._on_their_way == 0

    async def room(self) -> None:
        """Return when more records may be handed over; never, once stopping."""
        await self._room.wait()

    def took(self, messages: int) -> None:
        """So many messages are on their way."""
        self._count(messages)

    def forget(self) -> None:
        """What was on its way comes no more."""
        self._count(-self._on_their_way)

    def stop(self) -> None:
        """Let nothing more be handed over."""
        self._stopping = True
        self._count(0)

    def _count(self, messages: int) -> None:
        self._on_their_way = max(0, self._on_their_way + messages)
        if self._on_their_way or self._stopping:
            self._room.clear()
        else:
            self._room.set()

    async def handle(
        self, fetched: Sequence[Fetched], fail: Callable[[BaseException], None]
    ) -> None:
        """Fold the records that one fetch brought, partition by partition."""
        try:
            await self._outbox.empty(PATIENCE_S)
            for of_one in fetched:
                await self._handle(of_one)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever it is, living on without these records is worse
            fail(error)
        finally:
            self._count(-1)

    async def _handle(self, fetched: Fetched) -> None:
        owned, topic = self._owned_shards.find(fetched.tp)
        if owned is None or not (records := await self._accepted(owned, topic, fetched)):
            return
        if owned.merge is not None:
            await over(records[-1].timestamp)
            ends = await self._log_ends(owned)
            if owned.stale(topic, fetched) or owned.refuses(topic):
                return
            owned.accept(topic, records, ends)
        for batch in owned.ready(topic, records):
            for part in self.poison.parts(owned, batch):
                await self._outbox.room()
                await self._owned_shards.standstill.over()
                if owned.stale(topic, fetched) or owned.refuses(part.topic):
                    return
                self._fold(owned, part)
                await asyncio.sleep(0)
        if owned.merge is not None:
            await self._hold_back(owned, owned.merge.held)

    async def _hold_back(self, owned: OwnedShard, held: Mapping[str, int]) -> None:
        """Fetch nothing more of a topic that is far ahead of the other, until half has flowed."""
        for topic, n in held.items():
            if owned.closing:  # who opens it next has it flow
                return
            if n > MOST_HELD:
                owned.held_back.add(topic)
                await self._link.pause({self._owned_shards.tp(topic, owned.partition)})
            elif topic in owned.held_back and n <= MOST_HELD // 2:
                owned.held_back.remove(topic)
                await self.seek(owned, topic)

    def _fold(self, owned: OwnedShard, batch: Batch) -> None:
        effects = self.poison.fold(owned, batch)
        if effects is None:
            return
        self._outbox.put(Entry(owned, batch, effects))
        self.batches += 1
        if owned.stands:
            self.arrived()

    async def _accepted(self, owned: OwnedShard, topic: str, fetched: Fetched) -> Sequence[Any]:
        """Return the records to fold, none if these are not the ones that come next."""
        records, verdict = fetched.records, owned.judge(topic, fetched)
        if verdict is Verdict.TAKE:
            return records
        if verdict is Verdict.DROP:
            return ()
        if verdict is Verdict.BACK:
            await self.seek(owned, topic)
            return ()
        bounds = await self._retry.until_answered(lambda: self._ends.bounds([fetched.tp]))
        check_offset(owned, topic, owned.taken[topic], bounds[fetched.tp])
        if verdict is Verdict.GAP:
            owned.pass_over(topic, records[0].offset)
        return [record for record in records if record.offset >= owned.taken[topic]]

    async def seek(self, owned: OwnedShard, topic: str) -> None:
        """Go back to where records of a topic are missing."""
        tp, offset = self._owned_shards.tp(topic, owned.partition), owned.taken[topic]
        log.info("%s, partition %d: back to offset %d", topic, tp.partition, offset)
        laps = await self._link.seek_to({tp: offset})
        owned.laps[topic] = laps.get(tp, 0)

    async def _log_ends(self, owned: OwnedShard) -> dict[str, int]:
        tps = self._owned_shards.tps(owned.unit, owned.partition)
        ends = await self._retry.until_answered(lambda: self._ends.ends(tps))
        return {topic: ends[tp] for tp, topic in tps.items()}
