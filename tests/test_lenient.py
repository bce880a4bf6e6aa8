"""A header whose key is not UTF-8 ends no worker, and no event or order around it is lost."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from contracts import exits
from contracts.settings import Settings
from streams.control.reader import TopicReader
from streams.kafka.log_ends import LogEnds
from streams.kafka.topics import ensure
from tests.flow import Flow


class Raw(str):
    """A header key of bytes that are no text."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        """Return them."""
        return b"\xff\xfe\xc3"


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_header_key_that_is_not_utf8_is_read_past(
    settings: Settings, tmp_path: Path, compression: str | None
) -> None:
    flow = Flow(msgspec.structs.replace(settings, snapshot_every_s=0.5), tmp_path)
    topic = f"{settings.topic_prefix}interactions"
    with flow.worker() as worker:
        flow.send(1_000)
        flow.wait(flow.all_committed)
        with KafkaProducer(
            bootstrap_servers=settings.kafka, compression_type=compression, linger_ms=200
        ) as producer:
            for n in range(90):
                odd = [("fine", b"x"), (Raw("odd"), b"y"), (Raw("odd"), b"")] if n % 9 == 4 else []
                producer.send(topic, value=b"tea", key=b"u%d" % (n % 30), headers=odd)
                flow.users[f"u{n % 30}"] += 1
                flow.items["tea"] += 1
        flow._sent += 90
        flow.send(1_000)
        flow.wait(flow.all_committed)
        assert "is not UTF-8" in worker.log.read_text()
        assert worker.stop() == exits.OK.code
    flow.check()


def test_in_a_partition_that_is_followed_it_is_read_past_as_well(
    settings: Settings, tmp_path: Path
) -> None:
    flow = Flow(msgspec.structs.replace(settings, partitions=2, snapshot_every_s=0.5), tmp_path)
    with flow.worker() as one, flow.worker() as other:
        flow.wait(lambda: all("is followed from" in w.log.read_text() for w in (one, other)))
        with KafkaProducer(bootstrap_servers=settings.kafka, linger_ms=200) as producer:
            for n in range(90):
                odd = [(Raw("odd"), b"y")] if n % 9 == 4 else []
                topic = f"{settings.topic_prefix}interactions"
                producer.send(topic, value=b"tea", key=b"ann", headers=odd, partition=1)
        flow.users["ann"] += 90
        flow.items["tea"] += 90
        flow._sent += 90
        flow.send(1_000)
        flow.wait(flow.all_committed)
        assert one.stop() == exits.OK.code
        flow.wait(lambda: sum(flow.saved().shared_until.values()) == flow.sent)
        assert other.stop() == exits.OK.code
    flow.check()


def test_no_order_is_lost_beside_it(settings: Settings) -> None:
    ensure(settings)
    taken: list[bytes] = []
    with KafkaProducer(bootstrap_servers=settings.kafka, linger_ms=200) as producer:
        for n in range(9):
            odd = [(Raw("odd"), b"y")] if n % 3 == 1 else []
            producer.send(f"{settings.topic_prefix}control", value=b"%d" % n, headers=odd)

    async def take(records: Sequence[Any]) -> None:
        taken.extend(record.value for record in records)

    async def read() -> None:
        ends = LogEnds(settings)
        reader = TopicReader(settings, ends, take)
        reading = asyncio.create_task(reader.run())
        await asyncio.wait_for(reader.caught_up(), 30.0)
        reading.cancel()
        await asyncio.wait([reading])
        await ends.stop()

    asyncio.run(read())
    assert taken == [b"%d" % n for n in range(9)]
