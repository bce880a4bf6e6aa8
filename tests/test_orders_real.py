"""Orders to two real workers on real Kafka and Redis, one of which is killed meanwhile."""

import argparse
import itertools
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from contracts import keys
from contracts.control import FREEZE, RESET, ROLLBACK, THAW, Control
from contracts.settings import Settings
from headwater import orders
from headwater.cli import main
from state.audit import Entry
from state.redis_storage import RedisStorage
from state.snapshots import Snapshots
from streams.interactions.unit import Interactions
from streams.kafka.offsets import progress
from streams.shards import MAX_BATCH, Batch, NoTelemetry, send_nowhere
from streams.worker.loader import SHARED
from tests import children, saved_state
from tests.producers_world import START, USERS, Event, World, groups

ARGS = argparse.Namespace(who="ann", why="a test", no_wait=False)
PARTITIONS = 4


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings,
        partitions=PARTITIONS,
        snapshot_every_s=1.0,
        snapshots_kept=30,
        fresh_sample=1.0,
        wait_s=30.0,
    )


def send(world: World, events: Sequence[Event]) -> None:
    producer = Producer(
        {"bootstrap.servers": world.settings.kafka, "partitioner": "murmur2_random"}
    )
    for event in events:
        producer.produce(world.topic, event.value, event.user)
    assert producer.flush(30) == 0


def all_committed(world: World) -> bool:
    return sum(at.lag for at in progress(world.settings)) == 0


def order(world: World, draft: Control) -> list[Entry]:
    """Give an order, wait for all partitions, and return what the audit says of it."""
    lines = list(orders.give(ARGS, world.settings, draft))
    assert len(lines) == 1 + PARTITIONS
    return [e for e in orders.entries(world.settings) if f"order {e.id}:" in lines[0]]


@contextmanager
def nobody_misses_a_list(settings: Settings, users: Sequence[str]) -> Iterator[None]:
    """Hold that each user's list stands in Redis all the time."""
    wanted = [keys.REC.at(settings.key_prefix, user=user) for user in users]
    missing = list[int]()

    def watch(over: threading.Event) -> None:
        with redis.Redis.from_url(settings.redis) as client:
            while not over.wait(0.02):
                missing.append(len(wanted) - int(client.exists(*wanted)))

    with children.meanwhile(watch):
        yield
    assert set(missing) == {0}


def offline(world: World, frozen: list[Entry], thawed: list[Entry]) -> saved_state.State:
    """Fold the log of each partition in one go, frozen from and to where the audit says."""
    unit = Interactions(world.settings, NoTelemetry(), send_nowhere, send_nowhere)
    begin = {e.partition: e.at["interactions"] for e in frozen}
    end = {e.partition: e.at["interactions"] for e in thawed}
    for partition in range(PARTITIONS):
        shard = unit.open(partition)
        records = [r for r in world.records("interactions") if r.partition == partition]
        cuts = [0, begin[partition], end[partition], len(records)]
        for n, (at, to) in enumerate(itertools.pairwise(cuts)):
            for first in range(at, to, MAX_BATCH):
                some = records[first : min(to, first + MAX_BATCH)]
                models = frozenset({"lists"} if n == 1 else ())
                shard.handle(Batch("interactions", partition, some, frozen=models))
    return saved_state.of(unit, START)


def test_frozen_killed_and_thawed_two_workers_know_what_one_fold_knows(
    quick: Settings, tmp_path: Path
) -> None:
    one, two = World(quick, tmp_path / "one"), World(quick, tmp_path / "two")
    first, second, third, fourth = groups(seed=11)
    with one.worker(), two.worker() as killed:
        send(one, first)
        one.until(lambda: all_committed(one))
        with nobody_misses_a_list(quick, sorted({e.user for e in first})):
            frozen = order(one, orders.draft(FREEZE))
            send(one, second)
            killed.send(signal.SIGKILL)
            send(one, third)
            one.until(lambda: all_committed(one))
            assert shown(one, "headwater_frozen") == {"1.0"}
            thawed = order(one, orders.draft(THAW))
            send(one, fourth)
            one.until(lambda: saved_state.is_whole(quick))
            assert shown(one, "headwater_frozen") == {"0.0"}
    found, wanted = saved_state.read(quick, START), offline(one, frozen, thawed)
    assert found._replace(weight={}, near={}) == wanted._replace(weight={}, near={})
    assert found.weight == pytest.approx(wanted.weight)
    assert found.near == pytest.approx(wanted.near, rel=1e-5)
    assert sum(found.seen.values()) < found.learned
    assert {e.outcome for e in frozen + thawed} == {"done"}


def shown(world: World, metric: str) -> set[str]:
    """Return the values of a metric of the first worker, after it had a second to show them."""
    import urllib.request

    time.sleep(1.2)
    url = f"http://127.0.0.1:{world.settings.metrics_port}/metrics"
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split()[-1] for line in lines if line.startswith(f"{metric}{{")}


@pytest.mark.long
def test_a_reset_clears_the_learner_and_a_killed_worker_clears_it_again(
    quick: Settings, tmp_path: Path
) -> None:
    world = World(quick, tmp_path / "one")
    first, second, *_ = groups(seed=12)
    with world.worker() as worker:
        send(world, first)
        world.until(lambda: all_committed(world))
        order(world, orders.draft(RESET, learner="co_occurrence"))
        worker.send(signal.SIGKILL)
    with world.worker():
        send(world, second[: 2 * USERS])
        world.until(lambda: all_committed(world))
    found = saved_state.read(quick, START)
    assert sum(found.seen.values()) == found.learned
    chosen = {e.item for e in second[: 2 * USERS]}
    assert {item for item, _ in found.near} | {item for _, item in found.near}
    assert all(item in chosen or other in chosen for item, other in found.near)


@pytest.mark.long
@pytest.mark.parametrize("since", ["skip", "replay"])
def test_a_model_goes_back_within_ten_seconds_and_nobody_misses_a_list(
    quick: Settings, tmp_path: Path, since: str
) -> None:
    world = World(quick, tmp_path / "one")
    first, second, third, _ = groups(seed=13)
    with world.worker():
        send(world, first)
        world.until(lambda: all_committed(world))
        good = version(quick)
        send(world, second)
        world.until(lambda: all_committed(world))
        with nobody_misses_a_list(quick, sorted({e.user for e in first})):
            begun = time.monotonic()
            order(world, orders.draft(ROLLBACK, version=good, since=since))
            assert time.monotonic() - begun < 10.0
            send(world, third)
            world.until(lambda: all_committed(world))
    found = saved_state.read(quick, START)
    learned = {e.value for e in [*first, *third, *(second if since == "replay" else [])] if e.item}
    assert sum(found.seen.values()) == len(learned)
    assert found.learned == len({e.value for e in [*first, *second, *third] if e.item})
    assert len(found.owner) == 3 * USERS


def version(settings: Settings) -> str:
    """Return the newest version, once all that was learned is in it."""
    time.sleep(2.5 * settings.snapshot_every_s)

    async def newest(client: Any) -> str:
        storage = RedisStorage(client, settings.key_prefix)
        return (await Snapshots(storage, settings.snapshot_key, 1).all(SHARED))[0].version

    return orders.answered(settings, newest)


def test_orders_need_the_key_and_a_learner_that_exists(
    quick: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_KAFKA", quick.kafka)
    monkeypatch.setenv("HEADWATER_REDIS", quick.redis)
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", quick.topic_prefix)
    monkeypatch.setenv("HEADWATER_KEY_PREFIX", quick.key_prefix)
    assert main(["reset", "the weather"]) == 2
    assert "transitions, neighbours, head, lists" in capsys.readouterr().err
    assert main(["freeze"]) == 10
    assert "HEADWATER_SNAPSHOT_KEY" in capsys.readouterr().err
    monkeypatch.setenv("HEADWATER_SNAPSHOT_KEY", quick.snapshot_key)
    assert main(["freeze"]) == 13
    assert "headwater topics" in capsys.readouterr().err
    assert main(["topics"]) == 0
    assert main(["rollback", "20200101T000000Z", "--skip"]) == 2
    assert "no version '20200101T000000Z'" in capsys.readouterr().err
    assert main(["freeze", "--no-wait"]) == 0
    monkeypatch.setenv("HEADWATER_WAIT_S", "3")
    assert main(["freeze", "--why", "nobody is there"]) == 17
    said = capsys.readouterr()
    assert "partitions 0, 1, 2, 3 have not obeyed within 3 s" in said.err
    assert main(["audit"]) == 0
    assert "nothing was ever done" in capsys.readouterr().err
