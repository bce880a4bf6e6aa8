"""The log as it stands in Kafka, and what an undisturbed worker would have made of it."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from contracts.errors import KafkaAway
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from streams.interactions.unit import Interactions
from streams.shards import MAX_BATCH, Batch, NoTelemetry, PlainRecord, send_nowhere

SILENT_S = 10.0
POLL_S = 0.2
AT_ONCE = 5_000


class Log(NamedTuple):
    """Records by topic and partition, and one past the last offset of each."""

    records: dict[tuple[str, int], list[PlainRecord]]
    ends: dict[tuple[str, int], int]


def read(settings: Settings, topics: list[str]) -> Log:
    """Return all records of topics, named without prefix, as far as they stand there now."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.group}-checker",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    try:
        there = consumer.list_topics(timeout=SILENT_S).topics
        log = Log({}, {})
        for topic in topics:
            name = settings.topic_prefix + topic
            for partition in there[name].partitions:
                first, end = consumer.get_watermark_offsets(
                    TopicPartition(name, partition), SILENT_S
                )
                consumer.assign([TopicPartition(name, partition, first)])
                log.records[topic, partition] = list(_records(consumer, first, end))
                log.ends[topic, partition] = end
        return log
    finally:
        consumer.close()


def _records(consumer: Any, at: int, end: int) -> Iterator[PlainRecord]:
    heard = time.monotonic()
    while at < end:
        messages = consumer.consume(AT_ONCE, POLL_S)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENT_S:
            raise KafkaAway(f"the log cannot be read from offset {at} to {end}")
        for message in messages:
            if message.error() is not None:
                raise KafkaAway(str(message.error()))
            at = message.offset() + 1
            headers = tuple(message.headers() or ())
            yield PlainRecord(
                message.offset(), message.timestamp()[1], message.value(), message.key(), headers
            )


def fold(settings: Settings, log: Log) -> Interactions:
    """Return what one worker knows that has read every partition once, one after the other."""
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    for partition in range(settings.partitions):
        shard = unit.open(partition)
        for topic in (INTERACTIONS.name, REKEYED.name):
            records = log.records[topic, partition]
            for at in range(0, len(records), MAX_BATCH):
                shard.handle(Batch(topic, partition, records[at : at + MAX_BATCH]))
    return unit
