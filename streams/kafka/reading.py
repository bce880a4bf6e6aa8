"""Reads a stretch of one partition's log, as a worker would have got it, without a group."""

import time
from collections.abc import Iterator, Sequence

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from contracts.errors import KafkaAway
from contracts.settings import Settings
from streams.kafka.admin import READ, servers
from streams.shards import Record

POLL_MS = 500


def records(
    settings: Settings, topic: str, partition: int, start: int, until: int
) -> Iterator[Sequence[Record]]:
    """Yield the records from `start` to before `until`, some at a time.

    Raises:
        KafkaAway: no broker answers, or nothing comes for `wait_s`.
    """
    if start >= until:
        return
    tp = TopicPartition(settings.topic_prefix + topic, partition)
    with _consumer(settings) as consumer:
        consumer.assign([tp])
        consumer.seek(tp, start)
        yield from _until(settings, consumer, tp, until)


def everything(settings: Settings, topic: str) -> Iterator[Sequence[Record]]:
    """Yield the records that a topic of one partition has now, some at a time.

    Raises:
        KafkaAway: as `records`.
    """
    tp = TopicPartition(settings.topic_prefix + topic, 0)
    with _consumer(settings) as consumer:
        consumer.assign([tp])
        try:
            first, end = consumer.beginning_offsets([tp])[tp], consumer.end_offsets([tp])[tp]
        except KafkaError as error:
            raise _away(settings, error) from None
        consumer.seek(tp, first)
        yield from _until(settings, consumer, tp, end)


def _consumer(settings: Settings) -> KafkaConsumer:
    try:
        return KafkaConsumer(
            bootstrap_servers=servers(settings),
            group_id=None,
            enable_auto_commit=False,
            isolation_level=READ,
            max_poll_records=4_000,
        )
    except KafkaError as error:
        raise _away(settings, error) from None


def _until(
    settings: Settings, consumer: KafkaConsumer, tp: TopicPartition, until: int
) -> Iterator[Sequence[Record]]:
    came = time.monotonic()
    while (at := consumer.position(tp)) < until:
        found = consumer.poll(POLL_MS).get(tp, [])
        if wanted := [record for record in found if record.offset < until]:
            yield wanted
        if consumer.position(tp) > at:
            came = time.monotonic()
        elif time.monotonic() - came > settings.wait_s:
            raise _away(settings, f"nothing comes of {tp.topic}, partition {tp.partition}")


def _away(settings: Settings, error: object) -> KafkaAway:
    return KafkaAway(
        f"no broker answers at {settings.kafka} within {settings.wait_s:g} s ({error}); "
        "check HEADWATER_KAFKA, or run `headwater up`"
    )
