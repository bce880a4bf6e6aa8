"""Workers that come, go, freeze and return, and services that do: still each event once."""

import os
import signal
import time
from pathlib import Path

import msgspec
import pytest
import redis

from contracts import exits
from contracts.settings import Settings
from headwater.local import local_kafka, local_redis
from tests.flow import Flow


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, snapshot_every_s=1.0), tmp_path)


def test_a_second_worker_takes_half_and_all_when_the_first_is_killed(flow: Flow) -> None:
    with flow.worker() as first:
        flow.send(6_000, rate=3_000)
        with flow.worker() as second:
            flow.wait(lambda: "goes on at" in second.log.read_text())
            flow.send(6_000, rate=3_000)
            first.send(signal.SIGKILL)
            flow.send(3_000, rate=3_000)
            flow.wait(flow.all_committed)
    flow.check()


def test_a_worker_that_froze_changes_nothing_when_it_returns(flow: Flow) -> None:
    with flow.worker() as frozen:
        flow.send(4_000, rate=2_000)
        frozen.send(signal.SIGSTOP)
        flow.send(4_000)
        with flow.worker() as other:
            flow.wait(flow.all_committed)
            assert "goes on at" in other.log.read_text()
            frozen.send(signal.SIGCONT)
            flow.send(6_000, rate=1_500)
            flow.wait(flow.all_committed)
            assert frozen.stop() == exits.OK.code
            flow.send(1_000)
            flow.wait(flow.all_committed)
    flow.check()
    assert published(flow) == flow.users


def test_redis_and_kafka_go_and_return_and_nothing_is_lost(
    settings: Settings, tmp_path: Path
) -> None:
    with local_kafka(tmp_path / "kafka") as kafka, local_redis(tmp_path / "redis") as store:
        own = msgspec.structs.replace(
            settings, kafka=kafka.address, redis=store.address, snapshot_every_s=1.0
        )
        flow = Flow(own, tmp_path)
        with flow.worker() as worker:
            flow.send(3_000)
            flow.wait(flow.all_committed)
            store.pause()
            flow.send(3_000)
            flow.wait(lambda: "waiting for redis" in worker.log.read_text())
            store.resume()
            flow.wait(flow.all_committed)
            kafka.kill()
            flow.wait(lambda: "waiting for kafka" in worker.log.read_text())
            kafka.restart()
            flow.send(3_000)
            flow.wait(flow.all_committed)
            time.sleep(1.5)
            store.kill()
            flow.send(1_000)
            store.restart()
            flow.wait(flow.all_committed)
            flow.wait(lambda: sum(flow.saved().until.values()) == flow.sent)
            kafka.kill()
            start = time.monotonic()
            assert worker.stop() == exits.OK.code
            assert time.monotonic() - start < 5.0
            assert "redis is back" in worker.log.read_text()
            assert "kafka is back" in worker.log.read_text()
        flow.check()


def test_lists_that_redis_lost_with_its_last_second_are_there_again(
    settings: Settings, tmp_path: Path
) -> None:
    with local_redis(tmp_path / "redis") as store:
        own = msgspec.structs.replace(settings, redis=store.address, snapshot_every_s=1.0)
        flow = Flow(own, tmp_path)
        with flow.worker():
            flow.send(1_000)
            flow.wait(flow.all_committed)
            flow.wait(lambda: flow.saved().until == flow.committed())
            (file,) = (tmp_path / "redis").rglob("*.aof")
            kept = file.stat().st_size
            flow.send(500)
            flow.wait(flow.all_committed)
            store.kill()
            os.truncate(file, kept)
            store.restart()
            flow.wait(lambda: published(flow) == flow.users)
        flow.check()


def published(flow: Flow) -> dict[str, int]:
    """Return the counts that stand in Redis."""
    with redis.Redis.from_url(flow.settings.redis) as client:
        found = {u: client.get(f"{flow.settings.key_prefix}count:{u}") for u in flow.users}
    return {user: int(n) for user, n in found.items() if n is not None}


@pytest.mark.long
def test_an_idle_worker_says_once_that_redis_is_away_and_once_that_it_is_back(
    settings: Settings, tmp_path: Path
) -> None:
    with local_redis(tmp_path / "redis") as store:
        flow = Flow(msgspec.structs.replace(settings, redis=store.address), tmp_path)
        with flow.worker() as child:
            flow.send(100)
            flow.wait(flow.all_committed)
            store.kill()
            time.sleep(6)
            store.restart()
            flow.wait(lambda: "redis is back" in child.log.read_text())
            said = child.log.read_text()
    assert (said.count("waiting for redis"), said.count("redis is back")) == (1, 1)
