"""What is done about a change of taste stands in `drifts`, the same in every replay."""

import json
from typing import Any

from contracts.settings import Settings
from headwater.shop import Change, shop
from streams.shards import Message
from tests.streams_kit import batch, record, shard_of

CHANGE = 6_000
ROWS = list(shop(2, users=300, items=120, events=7_000, change=Change(CHANGE)))


def told(cut: int, pipeline: str = "") -> list[dict[str, Any]]:
    """Return what `drifts` holds after all events in batches of `cut`."""
    _, shard, _ = shard_of(Settings(partitions=1, pipeline=pipeline))
    records = [record(row, n, at=row["ts"] + 1.0) for n, row in enumerate(ROWS)]
    messages: list[Message] = []
    for first in range(0, len(records), cut):
        messages += shard.handle(batch(records[first : first + cut])).messages
    return [json.loads(message.value or b"") for message in messages if message.topic == "drifts"]


def test_that_memory_was_shortened_is_told_once() -> None:
    (turn,) = [body for body in told(1_000) if body["detector"] == "cusum"]
    assert turn["reaction"] == "memory_shortened"
    assert 0.0 < turn["to"] < 0.7 * turn["from"]
    assert ROWS[CHANGE]["ts"] < turn["ts"] < ROWS[CHANGE + 400]["ts"]


def test_the_cut_of_batches_changes_no_message() -> None:
    assert told(33) == told(7_000)


def test_a_pipeline_that_does_not_react_only_tells_of_its_lists() -> None:
    assert {body["reaction"] for body in told(1_000, "tests.streams_kit:STEADY")} <= {"none"}
