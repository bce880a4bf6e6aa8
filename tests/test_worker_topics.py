"""What befalls the topics under a running worker: it ends with a reason, or goes on and says so."""

import asyncio
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from faust.types import TP
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions

from contracts import exits
from contracts.metrics import WAITING
from contracts.settings import Settings
from contracts.topics import REKEYED
from streams.shards import Message, NoTelemetry
from streams.telemetry.http import Health
from streams.worker.ownership import Ownership
from streams.worker.sender import Sender
from streams.worker.waits import Retry, Waits
from streams.worker.watchdog import Watchdog
from tests.flow import Flow


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, snapshot_every_s=1.0, wait_s=5.0), tmp_path)


def interactions(flow: Flow) -> str:
    return f"{flow.settings.topic_prefix}interactions"


def whole(flow: Flow) -> dict[TopicPartition, int]:
    count = flow.settings.partitions
    return {TopicPartition(interactions(flow), partition): -1 for partition in range(count)}


def last_line(log: Path) -> str:
    return log.read_text().splitlines()[-1]


def test_events_deleted_before_they_were_learned_end_the_worker_also_at_the_logs_end(
    flow: Flow,
) -> None:
    with flow.worker() as child, KafkaAdminClient(bootstrap_servers=flow.settings.kafka) as admin:
        flow.send(400)
        flow.wait(flow.all_committed)
        child.send(signal.SIGSTOP)
        flow.send(400)
        admin.delete_records(whole(flow))
        child.send(signal.SIGCONT)
        assert child.wait(40) == exits.STATE_REFUSED.code
        assert "were deleted before they were learned" in last_line(child.log)


def test_who_takes_over_needs_no_more_of_the_log_than_what_was_not_yet_saved(flow: Flow) -> None:
    with flow.worker() as first, KafkaAdminClient(bootstrap_servers=flow.settings.kafka) as admin:
        flow.send(1_000)
        flow.wait(flow.all_committed)
        with flow.worker() as second:
            flow.wait(lambda: second.log.read_text().count("goes on at") == 2)
            for _ in range(4):  # so many snapshots that those both know are let go
                flow.send(1_000)
                flow.wait(lambda: sum(flow.saved().until.values()) == flow.sent)
            admin.delete_records(whole(flow))
            assert second.stop() == exits.OK.code
        flow.send(1_000)
        flow.wait(flow.all_committed)
        assert first.stop() == exits.OK.code
        assert "items miss the events in between" not in first.log.read_text()
    flow.check()


def test_a_hole_at_the_logs_end_is_passed_over_and_said(flow: Flow) -> None:
    with flow.worker() as child:
        producer = Producer(
            {"bootstrap.servers": flow.settings.kafka, "transactional.id": flow.settings.group}
        )
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(interactions(flow), key="ann", value="tea", partition=0)
        producer.commit_transaction(30)
        flow.wait(lambda: flow.committed().get(0) == 2)
        assert "offsets 1 to 1 of" in child.log.read_text()


def test_partitions_that_are_added_end_the_worker(flow: Flow) -> None:
    with flow.worker() as child, KafkaAdminClient(bootstrap_servers=flow.settings.kafka) as admin:
        flow.send(100)
        flow.wait(flow.all_committed)
        admin.create_partitions({interactions(flow): NewPartitions(flow.settings.partitions + 1)})
        assert child.wait(40) == exits.TOPICS_DIFFER.code
        assert f"now has {flow.settings.partitions + 1} partitions" in last_line(child.log)


def test_a_topic_that_is_deleted_ends_the_worker(flow: Flow) -> None:
    with flow.worker() as child, KafkaAdminClient(bootstrap_servers=flow.settings.kafka) as admin:
        flow.send(100)
        flow.wait(flow.all_committed)
        admin.delete_topics([interactions(flow)])
        assert child.wait(40) == exits.TOPICS_DIFFER.code
        assert "'interactions' is gone" in last_line(child.log)


def test_a_message_that_kafka_refuses_ends_the_worker_and_names_the_topic(flow: Flow) -> None:
    topic = f"{flow.settings.topic_prefix}dead-letters"
    with flow.worker() as child, KafkaAdminClient(bootstrap_servers=flow.settings.kafka) as admin:
        small = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "10"})
        admin.alter_configs([small])
        flow.send(1, value="dead")
        assert child.wait(40) == exits.STALLED.code
        assert f"does not take a message to {topic}" in last_line(child.log)


def test_the_largest_message_that_is_used_can_be_passed_on(flow: Flow) -> None:
    largest = msgspec.structs.replace(flow.settings, max_message_bytes=900_000)
    message = Message(REKEYED.name, b"u" * 256, b"x" * 900_000, 0, [("origin", b"o" * 100)])

    async def work() -> None:
        sender = Sender(largest, Waits(NoTelemetry(), Health()))
        try:
            async with asyncio.timeout(30):
                await sender.send([message] * 3)
        finally:
            await sender.stop()

    asyncio.run(work())


class Gauges(NoTelemetry):
    """Remembers what is waited for."""

    def __init__(self) -> None:
        self.waiting: dict[object, float] = {}

    def set(self, metric: Any, value: float, **labels: object) -> None:
        """Remember a wait."""
        if metric is WAITING:
            self.waiting[labels["service"]] = value


def test_kafka_is_back_only_when_the_producer_says_so_too() -> None:
    gauges = Gauges()
    waits = Waits(gauges, Health())
    waits.declare("producing", "cannot produce")
    waits.declare("kafka", "no broker answers")
    waits.over("kafka")
    assert gauges.waiting == {"kafka": 1}
    waits.over("producing")
    assert gauges.waiting == {"kafka": 0}


def test_a_wait_that_comes_and_goes_without_progress_ends_the_watchdogs_patience() -> None:
    waits, failed = Waits(NoTelemetry(), Health()), list[BaseException]()
    manager: Any = SimpleNamespace(moved=1, fail=failed.append)
    nothing: Any = None
    dog = Watchdog(manager, waits, nothing, NoTelemetry(), Health(), patience_s=0.1)
    lag = {TP("interactions", 0): 1}
    waits.over("start")
    dog._stalled(lag)
    deadline = time.monotonic() + 20
    while not failed and time.monotonic() < deadline:
        waits.declare("kafka", "cannot produce")
        dog._stalled(lag)
        waits.over("kafka")
        time.sleep(0.03)
        dog._stalled(lag)
    assert "none was processed" in str(failed[0])


def test_nothing_is_opened_once_the_worker_stops() -> None:
    async def work() -> None:
        nothing: Any = None
        retry = Retry(Waits(NoTelemetry(), Health()), ())
        owned: Any = SimpleNamespace(units=[])
        ownership = Ownership(owned, nothing, nothing, nothing, nothing, retry)
        ownership.stop()
        before = asyncio.all_tasks()
        ownership.open({TP("interactions", 0)})
        assert asyncio.all_tasks() == before

    asyncio.run(work())
