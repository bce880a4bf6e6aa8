"""A header whose key is not UTF-8 ends no worker, and no event around it is lost."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from contracts import exits
from contracts.settings import Settings
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
