"""A bare confluent-kafka loop: `consume(500)`, each value decoded by the worker's own decoder."""

import os
import sys

import msgspec

from benchmarks.meter import Meter
from contracts.events import Interaction
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS

BATCH = 500


def consume(settings: Settings, wanted: int) -> None:
    """Read and decode so many events from the beginning, then tell the rate."""
    from confluent_kafka import Consumer

    meter, decode = Meter(wanted), msgspec.json.Decoder(Interaction).decode
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": settings.group,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([settings.topic_prefix + INTERACTIONS.name])
    try:
        done = False
        while not done:
            messages = consumer.consume(BATCH, timeout=1.0)
            for message in messages:
                value = message.value()
                if message.error() is None and value is not None:
                    decode(value)
            done = meter.add(len(messages))
        meter.tell()
    finally:
        consumer.close()


if __name__ == "__main__":
    consume(read(os.environ), int(sys.argv[1]))
