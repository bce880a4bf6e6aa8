"""What a transaction gave up is never learned, and its marks in the log hold nobody up."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from contracts.settings import Settings
from streams.kafka.offsets import progress
from tests.flow import Flow

TRANSACTIONS, EACH = 40, 5


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, snapshot_every_s=0.5), tmp_path)


def begun(flow: Flow, user: str) -> Any:
    """Return a producer that has a transaction open with some events of a user."""
    producer: Any = Producer(
        {
            "bootstrap.servers": flow.settings.kafka,
            "partitioner": "murmur2_random",
            "transactional.id": f"{flow.settings.group}-{user}",
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    say(flow, producer, user)
    return producer


def say(flow: Flow, producer: Any, user: str) -> None:
    for n in range(EACH):
        producer.produce(f"{flow.settings.topic_prefix}interactions", f"i{n}", user)
    assert producer.flush(30) == 0


def test_only_what_was_committed_is_learned_and_no_lag_stays(flow: Flow) -> None:
    with flow.worker() as worker:
        producer = begun(flow, "kept 0")
        producer.commit_transaction(30)
        for n in range(1, TRANSACTIONS):
            producer.begin_transaction()
            say(flow, producer, f"dropped {n}" if n % 2 else f"kept {n}")
            producer.abort_transaction(30) if n % 2 else producer.commit_transaction(30)
            time.sleep(0.05)  # so that fetches lie between them
        flow.wait(lambda: all_read(flow))
        time.sleep(2.0)
        said = worker.log.read_text()
        assert said.count("back to offset") <= 3 * flow.settings.partitions
    saved = flow.saved()
    assert saved.users == {f"kept {n}": EACH for n in range(0, TRANSACTIONS, 2)}
    assert sum(saved.users.values()) == 100
    assert all_read(flow)


def test_an_open_transaction_is_no_lag_and_is_learned_when_it_is_committed(flow: Flow) -> None:
    own = msgspec.structs.replace(flow.settings, watchdog_s=2.0)
    flow.settings = own
    with flow.worker() as worker:
        producer = begun(flow, "late")
        time.sleep(5.0)
        assert worker.alive, worker.log.read_text()
        assert all_read(flow)
        producer.commit_transaction(30)
        flow.wait(lambda: sum(flow.saved().users.values()) == EACH)


def all_read(flow: Flow) -> bool:
    """Tell whether the group has no lag, and has committed the very ends of what was written."""
    found = [at for at in progress(flow.settings) if at.topic.endswith("interactions")]
    return all(at.lag == 0 and (at.committed or 0) == at.end for at in found)
