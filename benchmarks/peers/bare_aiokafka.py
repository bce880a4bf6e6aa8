"""A bare aiokafka loop: `getmany`, each value decoded by the worker's own decoder, no checks."""

import asyncio
import os
import sys

import msgspec

from benchmarks.meter import Meter
from contracts.events import Interaction
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS


async def consume(settings: Settings, wanted: int) -> None:
    """Read and decode so many events from the beginning, then tell the rate."""
    from aiokafka import AIOKafkaConsumer

    meter, decode = Meter(wanted), msgspec.json.Decoder(Interaction).decode
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + INTERACTIONS.name,
        bootstrap_servers=settings.kafka,
        group_id=settings.group,
        auto_offset_reset="earliest",
        enable_auto_commit=True,
    )
    await consumer.start()
    try:
        done = False
        while not done:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    decode(record.value)
                done = meter.add(len(records))
        meter.tell()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(consume(read(os.environ), int(sys.argv[1])))
