"""A load generator for one process: prepared messages, sent evenly at a rate.

    python -m benchmarks.load RATE SECONDS SEED

It sends as any client of librdkafka does that has set the partitioner and left the rest alone
(`linger.ms` 5, one acknowledgement of every replica).
"""

import os
import sys
import time
from typing import Any

import msgspec

from benchmarks.streams import shop
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS
from streams.kafka.producer import PARTITIONERS

TICK_S = 0.001


def send(settings: Settings, rate: float, seconds: float, seed: int) -> int:
    """Send for so many seconds; return how many the broker has."""
    from confluent_kafka import Producer

    messages = _prepared(int(rate * seconds), seed)
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka,
            "partitioner": PARTITIONERS[settings.partitioner],
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    _paced(producer, settings.topic_prefix + INTERACTIONS.name, messages, rate)
    return len(messages) - int(producer.flush(30))


def _prepared(n: int, seed: int) -> list[tuple[bytes, bytes]]:
    encode = msgspec.json.Encoder().encode
    return [(row["user"].encode(), encode(row)) for row in shop(n, seed)]


def _paced(producer: Any, topic: str, messages: list[tuple[bytes, bytes]], rate: float) -> None:
    sent, start, produce = 0, time.perf_counter(), producer.produce
    while sent < len(messages):
        due = min(len(messages), int((time.perf_counter() - start) * rate) + 1)
        for key, value in messages[sent:due]:
            produce(topic, value, key)
        sent = due
        producer.poll(0)
        time.sleep(TICK_S)


if __name__ == "__main__":
    rate_, seconds_, seed_ = sys.argv[1:]
    n_ = send(read(os.environ), float(rate_), float(seconds_), int(seed_))
    print(f'{{"sent":{n_}}}', flush=True)
