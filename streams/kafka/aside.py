"""A consumer beside the worker's own: of no group, from a log's beginning, committing nothing."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import aiokafka
from aiokafka.errors import KafkaError

from streams.kafka.admin import READ


@contextlib.asynccontextmanager
async def consumer(
    servers: Sequence[str], reset: str = "earliest"
) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    """Give one that has reached a broker; `reset` says where to go from an offset that is gone.

    Raises:
        KafkaError: no broker answers in time.
    """
    client = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=list(servers),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset=reset,
        isolation_level=READ,
    )
    try:
        await client.start()
        yield client
    finally:
        with contextlib.suppress(KafkaError):
            await client.stop()
