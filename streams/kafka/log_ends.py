"""Asks the broker where logs begin and end, on a connection of its own.

On the worker's own connection the question would wait behind a fetch that waits for records.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import NamedTuple

import aiokafka
from aiokafka.errors import KafkaError
from faust.types import TP

from contracts.settings import Settings
from streams.kafka.admin import READ, servers

ANSWER_MS = 5_000


class Bounds(NamedTuple):
    """First offset of a log, and the one behind the last that may be read."""

    first: int
    end: int


class LogEnds:
    """Knows log ends; starts with the first question."""

    def __init__(self, settings: Settings) -> None:
        self._servers = servers(settings)
        self._client: aiokafka.AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()  # several ask at once; a second client would be lost

    async def ends(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Return the offset behind each log's last.

        Raises:
            KafkaError: no broker answers in time.
        """
        client, asked = await self._started(), [aiokafka.TopicPartition(*tp) for tp in tps]
        return {TP(*tp): end for tp, end in (await client.end_offsets(asked)).items()}

    async def bounds(self, tps: Iterable[TP]) -> dict[TP, Bounds]:
        """Return each log's bounds.

        Raises:
            KafkaError: no broker answers in time.
        """
        client, asked = await self._started(), [aiokafka.TopicPartition(*tp) for tp in tps]
        first = await client.beginning_offsets(asked)
        end = await client.end_offsets(asked)
        return {TP(*tp): Bounds(first[tp], end[tp]) for tp in asked}

    async def counts(self, topics: Iterable[str]) -> dict[str, int]:
        """Return how many partitions topics have now, 0 where there is none.

        Raises:
            KafkaError: no broker answers in time.
        """
        client = await self._started()
        cluster = await client._client.fetch_all_metadata()  # noqa: SLF001 - the only fresh one
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}

    async def _started(self) -> aiokafka.AIOKafkaConsumer:
        async with self._starting:
            return self._client or await self._start()

    async def _start(self) -> aiokafka.AIOKafkaConsumer:
        client = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            request_timeout_ms=ANSWER_MS,
            group_id=None,
            isolation_level=READ,
        )
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        self._client = client
        return client

    async def stop(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(KafkaError):
                await client.stop()
