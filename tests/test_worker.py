"""One worker on real Kafka and Redis: every event counts once, whatever befalls it."""

import signal
import time
from pathlib import Path

import msgspec
import pytest
import redis

from contracts import exits
from contracts.errors import HeadwaterError, KafkaAway, RedisAway, SettingsError, TopicsDiffer
from contracts.settings import Settings
from streams import run as worker
from streams.shards import NoTelemetry
from streams.telemetry.http import Health
from streams.worker.poison import HOPELESS
from tests import counting
from tests.flow import Flow


@pytest.fixture
def flow(settings: Settings, tmp_path: Path) -> Flow:
    return Flow(msgspec.structs.replace(settings, snapshot_every_s=1.0, wait_s=5.0), tmp_path)


def test_a_graceful_stop_counts_saves_and_commits_all_within_five_seconds(flow: Flow) -> None:
    with flow.worker() as child:
        flow.send(30_000)
        flow.wait(flow.all_committed)
        flow.send(3_000)
        flow.wait(lambda: sum(flow.committed().values()) > 30_000)
        start = time.monotonic()
        assert child.stop() == exits.OK.code
        assert time.monotonic() - start < 5.0
    saved = flow.saved()
    assert saved.until == flow.committed()
    with flow.worker():
        flow.send(500)
        flow.wait(flow.all_committed)
    flow.check()
    assert flow.saved().items == flow.items


def test_a_killed_worker_counts_nothing_twice_and_misses_nothing(flow: Flow) -> None:
    for _ in range(2):
        with flow.worker() as child:
            flow.send(8_000, rate=4_000)
            child.send(signal.SIGKILL)
            flow.send(2_000)
    with flow.worker():
        flow.wait(flow.all_committed)
    flow.check()
    assert flow.saved().items == flow.items


def test_answers_stand_in_redis_and_messages_in_kafka_before_an_offset_counts(flow: Flow) -> None:
    with flow.worker():
        flow.send(20, value="dead")
        flow.send(1_000)
        flow.wait(flow.all_committed)
        with redis.Redis.from_url(flow.settings.redis) as client:
            for user, n in flow.users.items():
                found = client.get(f"{flow.settings.key_prefix}count:{user}")
                assert found == str(n).encode()
    assert flow.end_of("dead-letters") >= 20


def test_a_spoiled_snapshot_is_refused_and_the_older_one_replays(flow: Flow) -> None:
    with flow.worker():
        for _ in range(2):
            flow.send(2_000)
            flow.wait(flow.all_committed)
            time.sleep(1.5)
    with redis.Redis.from_url(flow.settings.redis) as client:
        prefix = f"{flow.settings.key_prefix}snap:0"
        newest = flow.newest_chunk("0")
        assert client.exists(f"{prefix}:{newest}")
        client.set(f"{prefix}:{newest}", b"something else")
    with flow.worker() as child:
        flow.send(1_000)
        flow.wait(flow.all_committed)
        assert child.stop() == exits.OK.code
        assert "is not what was signed" in child.log.read_text()
    flow.check()


def test_a_shard_that_fails_on_everything_ends_the_worker_and_saves_nothing(
    flow: Flow,
) -> None:
    flow.send(97 * HOPELESS, value="poison")
    with flow.worker(COUNTING_FAULT="raise") as child:
        assert child.wait(60) == exits.STALLED.code
        assert "ValueError('poison')" in child.log.read_text().splitlines()[-1]
    assert not any(flow.saved().until.values())


def test_lag_without_progress_ends_the_worker(flow: Flow) -> None:
    flow.settings = msgspec.structs.replace(flow.settings, watchdog_s=2.0)
    flow.send(10)
    with flow.worker(COUNTING_FAULT="hang") as child:
        assert child.wait(40) == exits.STALLED.code
        assert "10 events wait" in child.log.read_text().splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"snapshot_key": ""}, SettingsError, "headwater up"),
        ({"redis": "redis://127.0.0.1:1/0"}, RedisAway, "HEADWATER_REDIS"),
        ({"kafka": "127.0.0.1:1"}, KafkaAway, "HEADWATER_KAFKA"),
        ({"topic_prefix": "nowhere."}, TopicsDiffer, "headwater topics"),
        ({"partitions": 7}, TopicsDiffer, "HEADWATER_PARTITIONS"),
    ],
)
def test_a_worker_that_cannot_start_says_what_to_do(
    flow: Flow, change: dict[str, str | int], error: type[HeadwaterError], says: str
) -> None:
    changed = msgspec.structs.replace(flow.settings, **change, wait_s=0.5)
    with pytest.raises(error, match=says):
        worker.run(changed, NoTelemetry(), Health(), make=counting.units)
