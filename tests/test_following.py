"""Workers follow each other's partitions: what is known of items is the same on all of them."""

import argparse
import itertools
import signal
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from confluent_kafka import Producer

from contracts import exits
from contracts.control import RESET
from contracts.settings import Settings
from headwater import orders
from headwater.local import Supervised
from learners import compare
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, send_nowhere
from tests.flow import Flow
from tests.streams_kit import event, record, users_of


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, partitions=4, snapshot_every_s=1.0), tmp_path)


ARGS = argparse.Namespace(who="ann", why="a test", no_wait=False)
TWO = Settings(snapshot_key="a key for tests only", partitions=2)


def follows(worker: Supervised) -> bool:
    return "is followed from" in worker.log.read_text()


def test_each_of_two_workers_counts_the_items_of_all_partitions(flow: Flow) -> None:
    with flow.worker() as first, flow.worker() as second:
        flow.wait(lambda: follows(first) and follows(second))
        flow.send(6_000, rate=3_000)
        flow.wait(flow.all_committed)
        time.sleep(1.0)  # whoever follows is some tenths of a second behind
        first.stop()
        by_first = flow.saved()
        assert by_first.items == flow.items
        second.stop()
    flow.check()


def test_whoever_comes_goes_and_dies_items_are_counted_once(flow: Flow) -> None:
    with flow.worker() as first:
        flow.send(3_000)
        with flow.worker() as second:
            flow.send(6_000, rate=3_000)
            first.send(signal.SIGKILL)
            flow.send(3_000, rate=3_000)
            with flow.worker() as third:
                flow.wait(lambda: follows(third))
                flow.send(6_000, rate=3_000)
                third.send(signal.SIGSTOP)
                flow.send(3_000, rate=1_000)
                third.send(signal.SIGCONT)
                flow.wait(flow.all_committed)
                second.send(signal.SIGKILL)
                flow.send(2_000)
                flow.wait(flow.all_committed)
                third.stop()
    flow.check()


@pytest.mark.long
def test_an_order_about_items_is_not_held_up_by_the_marker_of_a_transaction(flow: Flow) -> None:
    flow.settings = settings = msgspec.structs.replace(flow.settings, wait_s=12.0)
    producer = Producer({"bootstrap.servers": settings.kafka, "transactional.id": settings.group})
    producer.init_transactions(30)
    with flow.worker() as first, flow.worker() as second:
        flow.wait(lambda: follows(first) and follows(second))
        producer.begin_transaction()
        for partition in range(4):
            producer.produce(f"{settings.topic_prefix}interactions", "tea", "ann", partition)
        producer.commit_transaction(30)
        flow.wait(lambda: flow.committed() == dict.fromkeys(range(4), 2))
        reset = orders.draft(RESET, learner="lists")
        assert len(list(orders.give(ARGS, settings, reset))) == 1 + 4
        assert (first.stop(), second.stop()) == (exits.OK.code, exits.OK.code)
    assert not flow.saved().items


def events(partition: int, n: int) -> list[Batch]:
    rng = np.random.default_rng(partition)
    users = users_of(partition, TWO, 30)
    values = [
        event(
            partition * n + k,
            user=users[rng.integers(30)],
            item=f"i{int(rng.zipf(1.3)) % 200}",
            ts=1_700_000_000.0 + k,
        )
        for k in range(n)
    ]
    records = [record(value, k, at=1_700_000_000.0 + k) for k, value in enumerate(values)]
    return [Batch("interactions", partition, records[k : k + 50]) for k in range(0, n, 50)]


def test_what_is_followed_teaches_items_as_what_is_owned_does() -> None:
    owner, follower = (
        Interactions(TWO, NoTelemetry(), send_nowhere, send_nowhere) for _ in range(2)
    )
    owned, followed = owner.open(0), follower.follow(0)
    for batch in events(0, 600):
        owned.handle(batch)
        assert not followed.handle(batch).messages
    mine, theirs = owner.shared_dump(), follower.shared_dump()
    assert set(compare.items(mine, theirs)) <= {"head.weight", "head.square"}
    assert compare.users(owned.dump(), followed.dump())[0]


def test_items_do_not_depend_on_who_owns_what() -> None:
    alone, half, other = (
        Interactions(TWO, NoTelemetry(), send_nowhere, send_nowhere) for _ in range(3)
    )
    shards = [
        (alone.open(0), alone.open(1)),
        (half.open(0), half.follow(1)),
        (other.follow(0), other.open(1)),
    ]
    for turn in zip(events(0, 600), events(1, 600), strict=True):
        for zero, one in shards:
            zero.handle(turn[0])
            one.handle(turn[1])
    half_lives = alone.model.rules.half_lives
    for a, b in itertools.pairwise([alone, half, other]):
        assert all(compare.counts(a.shared_dump(), b.shared_dump(), half_lives))
