"""Reads all of a small topic, from its beginning and for ever, and knows when it is at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError
from faust.types import TP

from contracts.settings import Settings
from contracts.topics import CONTROL, Topic
from streams.kafka.admin import servers
from streams.kafka.aside import consumer
from streams.kafka.log_ends import LogEnds

log = logging.getLogger(__name__)
Take = Callable[[Sequence[Any]], Awaitable[None]]
AGAIN_S = 1.0
POLL_MS = 1_000
AT_ONCE = 500


class TopicReader:
    """Hands records to `take`, in order; a consumer of its own, without a group.

    Every worker reads all of `control`: what an order did to a state that is loaded, and where
    orders hold in records that will be replayed, stands there alone. `whole` says that the topic
    must have its beginning.
    """

    def __init__(
        self,
        settings: Settings,
        ends: LogEnds,
        take: Take,
        topic: Topic = CONTROL,
        whole: bool = True,
    ) -> None:
        self._servers = servers(settings)
        self._tp = aiokafka.TopicPartition(settings.topic_prefix + topic.name, 0)
        self._whole = whole
        self._ends = ends
        self._take = take
        self._position = 0
        self._moved = asyncio.Event()

    async def caught_up(self) -> None:
        """Return when everything that is there now was taken.

        Raises:
            KafkaError: no broker answers in time.
        """
        tp = TP(*self._tp)
        end = (await self._ends.ends([tp]))[tp]
        while self._position < end:
            await self._moved.wait()

    async def run(self) -> None:
        """Read until cancelled, through every absence of Kafka."""
        while True:
            try:
                async with consumer(self._servers) as client:
                    await self._follow(client)
            except KafkaError as error:
                log.info("'%s' cannot be read now: %r", self._tp.topic, error)
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, client: aiokafka.AIOKafkaConsumer) -> None:
        client.assign([self._tp])
        client.seek(self._tp, self._position)
        await self._say_what_is_gone(client)
        while True:
            found = await client.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
            if records := found.get(self._tp):
                await self._take(records)
            self._move(await client.position(self._tp))

    async def _say_what_is_gone(self, client: aiokafka.AIOKafkaConsumer) -> None:
        first = (await client.beginning_offsets([self._tp]))[self._tp]
        if self._position < first and self._whole:
            log.warning(
                "'%s' no longer begins at 0 but at %d: orders from before are not known, and what "
                "they froze is not frozen; set its retention.ms to -1", self._tp.topic, first,
            )  # fmt: skip
            self._position = first
            client.seek(self._tp, first)

    def _move(self, position: int) -> None:
        self._position = position
        self._moved.set()
        self._moved = asyncio.Event()
