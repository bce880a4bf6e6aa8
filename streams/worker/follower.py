"""Follows the partitions of other workers, so that what partitions share is the same everywhere.

What is known of items is a fold of all partitions, whoever owns them. Each worker reads what it
does not own too, beside its group, and folds it with the shards of those partitions: their users
have histories here, and teach the items; they get no lists, and nothing of it is sent or saved. So
nothing has to be told between workers, no delta can be lost or counted twice, and who takes a
partition over has learned of it already. The price is decoding and learning what others rank.

Orders hold at marks that a shard's owner writes, never before the logs' ends at the time of the
order. Of records that were fetched before all orders were read, none lies behind such a mark.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from faust.types import TP

from contracts.metrics import FOLLOWED_LAG
from contracts.settings import Settings
from streams.kafka.admin import servers
from streams.kafka.aside import consumer
from streams.shards import Batch, Telemetry
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.poison import Poison

log = logging.getLogger(__name__)
AGAIN_S = 1.0
LOOK_S = 0.1  # how often others' records are fetched: many at once cost less
AT_ONCE = 8_000


class Follower:
    """Reads and folds, while the worker runs.

    `caught_up` returns when all orders that were given are known; `arrived` is called when a shard
    has come to an order's place.
    """

    def __init__(self, settings: Settings, owned_shards: OwnedShards, telemetry: Telemetry) -> None:
        self.poison: Poison
        self.caught_up: Callable[[], Awaitable[None]]
        self.arrived: Callable[[], None] = lambda: None
        self._servers = servers(settings)
        self._owned_shards = owned_shards
        self._telemetry = telemetry
        self._read: dict[TP, tuple[OwnedShard, str]] = {}
        self._shown: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """Follow until cancelled, through every absence of Kafka."""
        while True:
            try:
                if self._owned_shards.followed:
                    async with consumer(self._servers, reset="none") as client:
                        await self._follow(client)
            except KafkaError as error:
                log.info("the partitions of other workers cannot be read now: %r", error)
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, client: aiokafka.AIOKafkaConsumer) -> None:
        """Read while there is anything to follow."""
        self._read = {}
        while self._owned_shards.followed:
            begun = time.monotonic()
            await self._go_on(client)
            try:
                found = await client.getmany(timeout_ms=int(LOOK_S * 1000), max_records=AT_ONCE)
            except OffsetOutOfRangeError as error:
                self._give_up(error.args[0])
                continue
            if found:
                await self.caught_up()
            for tp, records in found.items():
                await self.fold(*self._read[TP(*tp)], records)
            for tp in self._read.keys() - {TP(*tp) for tp in found}:
                position = await client.position(aiokafka.TopicPartition(*tp))
                self._pass_over(*self._read[tp], position)
            self._show({tp: client.highwater(aiokafka.TopicPartition(*tp)) for tp in self._read})
            await asyncio.sleep(max(0.0, begun + LOOK_S - time.monotonic()))
        self._show({})

    async def _go_on(self, client: aiokafka.AIOKafkaConsumer) -> None:
        """Stand in each partition where its shard does; leave out what waits for an order."""
        wanted = {
            tp: (owned, topic)
            for owned in self._owned_shards.followed
            for tp, topic in self._owned_shards.tps(owned.unit, owned.partition).items()
            if not owned.closing and not owned.waits(topic)
        }
        anew = wanted.keys() != self._read.keys()
        if anew:
            client.assign([aiokafka.TopicPartition(*tp) for tp in wanted])
        for tp, (owned, topic) in wanted.items():
            there, taken = aiokafka.TopicPartition(*tp), owned.taken[topic]
            if anew or await client.position(there) != taken:
                client.seek(there, taken)
        self._read = wanted

    def _pass_over(self, owned: OwnedShard, topic: str, position: int) -> None:
        """Go on behind what is no event: the client has nothing to give, and stands further.

        The marker of a transaction at the log's end is such a thing; an order may hold behind it.
        """
        if position > owned.taken[topic] and not owned.closing and not owned.waits(topic):
            owned.pass_over(topic, position)
            self.arrived()

    async def fold(self, owned: OwnedShard, topic: str, records: Sequence[Any]) -> None:
        """Fold records of a shard that is followed, up to the place of its next order."""
        new = [record for record in records if record.offset >= owned.taken[topic]]
        if not new or owned.closing or owned.refuses(topic):
            return
        owned.pass_over(topic, new[0].offset)  # nobody but us seeks: a hole is the log's
        for batch in owned.ready(topic, new):
            for part in self.poison.parts(owned, batch):
                await self._owned_shards.standstill.over()
                if owned.closing or owned.refuses(topic):
                    return
                self._handle(owned, part)
                await asyncio.sleep(0)

    def _handle(self, owned: OwnedShard, batch: Batch) -> None:
        if self.poison.fold(owned, batch) is None:
            return
        owned.done[batch.topic] = owned.next[batch.topic]
        if owned.stands:
            self.arrived()

    def _give_up(self, tps: Collection[Any]) -> None:
        for tp in tps:
            owned, topic = self._read[TP(*tp)]
            log.warning(
                "'%s', partition %d: events were deleted before they were followed; items miss "
                "them here until the state is loaded anew", topic, owned.partition,
            )  # fmt: skip
            self._owned_shards.drop(owned)

    def _show(self, ends: Mapping[TP, int | None]) -> None:
        now = set()
        for tp, end in ends.items():
            owned, topic = self._read[tp]
            now.add((topic, owned.partition))
            if end is not None:
                lag = max(0, end - owned.taken[topic])
                self._telemetry.set(FOLLOWED_LAG, lag, topic=topic, partition=owned.partition)
        for topic, partition in self._shown - now:
            self._telemetry.forget(FOLLOWED_LAG, topic=topic, partition=partition)
        self._shown = now
