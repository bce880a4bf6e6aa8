"""Events on which the learners raise are put aside one by one; all others count once, exactly."""

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from contracts import topics
from contracts.settings import Settings
from tests.flow import Flow

RAISING = {"COUNTING_FAULT": "raise"}


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, snapshot_every_s=0.5), tmp_path)


def letters(settings: Settings) -> list[dict[str, Any]]:
    """Return all dead letters, by what they tell of each once."""
    tp = TopicPartition(settings.topic_prefix + topics.DEAD_LETTERS.name, 0)
    with KafkaConsumer(bootstrap_servers=settings.kafka) as consumer:
        consumer.assign([tp])
        consumer.seek_to_beginning(tp)
        end, found = consumer.end_offsets([tp])[tp], {}
        while consumer.position(tp) < end:
            for record in consumer.poll(timeout_ms=500).get(tp, []):
                body = msgspec.json.decode(record.value)
                found[body["partition"], body["offset"]] = body
    return list(found.values())


def check(flow: Flow, poisoned: int) -> None:
    """Hold that all count once but the poison, which stands in the dead letters."""
    buried = letters(flow.settings)
    assert [body["reason"] for body in buried] == ["learner_failed"] * poisoned
    assert {body["detail"] for body in buried} == {"ValueError('poison')"}
    saved = flow.saved()
    assert sum(saved.until.values()) == flow.sent
    assert saved.users == flow.users - Counter(body["key"] for body in buried)
    assert {i: n for i, n in flow.items.items() if i != "poison"} == saved.items
    whole = sum(n * (n + 1) // 2 for n in saved.until.values())
    assert saved.offsets == whole - sum(body["offset"] + 1 for body in buried)


def test_poison_among_good_events_is_put_aside_and_the_rest_counts_once(flow: Flow) -> None:
    with flow.worker(**RAISING) as child:
        flow.send(3_000)
        flow.wait(flow.all_committed)
        for _ in range(3):
            flow.send(1_000)
            flow.send(1, value="poison")
        flow.send(1_000)
        flow.wait(flow.all_committed)
        assert "looking for it" in child.log.read_text()
    check(flow, 3)


@pytest.mark.long
def test_poison_that_a_killed_worker_had_put_aside_is_put_aside_again(flow: Flow) -> None:
    for _ in range(2):
        flow.send(700)
        flow.send(1, value="poison")
    flow.send(700)
    with flow.worker(**RAISING) as child:
        flow.wait(lambda: "is put aside" in child.log.read_text())
        child.send(signal.SIGKILL)
        child.wait(10)
    with flow.worker(**RAISING):
        flow.wait(flow.all_committed)
    check(flow, 2)


@pytest.mark.long
def test_what_comes_while_poison_is_looked_for_is_not_lost(flow: Flow) -> None:
    with flow.worker(**RAISING):
        for _ in range(4):
            flow.send(1_500, rate=3_000)
            flow.send(1, value="poison")
        flow.wait(flow.all_committed)
    check(flow, 4)
