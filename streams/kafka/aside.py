"""A consumer beside the worker's own: of no group, from a log's beginning, committing nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiokafka

from streams.kafka.admin import READ
from streams.kafka.lenient import leniency

STOP_S = 1.5


class Aside(aiokafka.AIOKafkaConsumer):
    """Reads what aiokafka cannot, too."""

    async def getmany(self, *tps: Any, **how: Any) -> dict[Any, list[Any]]:
        """Return what has come; nothing where a header's key is no text: it comes again."""
        leniency.look()
        asked = {tp: await self.position(tp) for tp in self.assignment()}
        try:
            return dict(await super().getmany(*tps, **how))
        except UnicodeDecodeError as error:
            leniency.begin(error)
        for tp, offset in asked.items():  # also of others: what was drained of them is lost
            self.seek(tp, offset)
        return {}


@contextlib.asynccontextmanager
async def consumer(
    servers: Sequence[str], reset: str = "earliest"
) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    """Give one that has reached a broker; `reset` says where to go from an offset that is gone.

    Raises:
        KafkaError: no broker answers in time.
    """
    client = Aside(
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
        # A task of its own: aiokafka raises CancelledError where it closes while it rests from a
        # broker that was away. That would end whoever reads here, and nobody would know.
        leaving = asyncio.ensure_future(client.stop())
        await asyncio.wait([leaving], timeout=STOP_S)
        if not leaving.cancel() and not leaving.cancelled():
            leaving.exception()  # it is gone either way
