"""Memory stays where it is while Redis is slow and lag grows, and the worker catches up."""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from contracts.settings import Settings
from headwater.local import Supervised, local_redis, spawn
from streams.kafka import offsets
from streams.kafka.topics import ensure
from tests import children

USERS, ITEMS = 500, 200
LAG = int(os.environ.get("HEADWATER_TEST_LAG", "300000"))
FLAT = 1.05
BUFFERS_MB = 48  # fetched and not yet handed over: 1 MB a partition, as bytes and as objects


@pytest.fixture
def slow(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Give settings with a Redis of this test's own: it is going to be slow."""
    with local_redis(tmp_path / "redis") as own:
        named = {"elec": "learners.examples:elec"}
        found = msgspec.structs.replace(settings, redis=own.address, predictors=named)
        ensure(found)
        yield found


def send(settings: Settings, start: int, n: int) -> None:
    """Make so many interactions."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
    topic, now = f"{settings.topic_prefix}interactions", time.time()
    for k in range(start, start + n):
        body = {"event_id": f"e{k}", "user": f"u{k % USERS}", "item": f"i{k * 7 % ITEMS}"}
        value = msgspec.json.encode({**body, "action": "view", "ts": now, "context": {"a": "b"}})
        while True:
            try:
                producer.produce(topic, value, body["user"])
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0


@contextmanager
def worker(settings: Settings, folder: Path) -> Iterator[Supervised]:
    """Run a real worker."""
    log = folder / "worker.log"
    with spawn(
        [sys.executable, "-m", "headwater", "worker"], log, os.environ | children.environ(settings)
    ) as child:
        try:
            yield child
        except BaseException:
            sys.stderr.write(log.read_text(encoding="utf-8")[-4000:])
            raise


@contextmanager
def slowness(url: str, share: float = 0.9) -> Iterator[None]:
    """Let Redis stand still for a share of the time, a second at most, and answer in between."""

    def run(over: threading.Event) -> None:
        with redis.Redis.from_url(url) as client:
            while not over.is_set():
                client.execute_command("DEBUG", "SLEEP", str(share))
                time.sleep(1.0 - share)

    with children.meanwhile(run):
        yield


def resident_mb(child: Supervised) -> float:
    """Return the resident size of a process."""
    text = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1024


def lag(settings: Settings) -> int:
    """Return how many records wait."""
    return sum(at.lag for at in offsets.progress(settings))


def wait(settings: Settings, child: Supervised, seconds: float = 120.0) -> None:
    """Return when nothing waits."""
    deadline = time.monotonic() + seconds
    while lag(settings):
        assert child.alive
        assert time.monotonic() < deadline, f"{lag(settings)} wait"
        time.sleep(0.2)


def sizes(child: Supervised, seconds: float) -> list[float]:
    """Return the resident size, four times a second."""
    found = []
    for _ in range(int(seconds * 4)):
        found.append(resident_mb(child))
        time.sleep(0.25)
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_memory_is_flat_while_redis_is_slow_and_lag_grows(slow: Settings, tmp_path: Path) -> None:
    with worker(slow, tmp_path) as child:
        send(slow, 0, 40_000)
        wait(slow, child)
        before = resident_mb(child)
        with slowness(slow.redis):
            send(slow, 40_000, LAG // 2)
            early = sizes(child, 5)
            half = lag(slow)
            send(slow, 40_000 + LAG // 2, LAG // 2)
            late = sizes(child, 10)
            assert lag(slow) > half > LAG // 8, (
                "Redis was not slow enough for this to mean anything"
            )
        with redis.Redis.from_url(slow.redis) as client:
            client.client_pause(6_000)
        stopped = sizes(child, 7)
        assert max(early) < before + BUFFERS_MB
        assert max(late + stopped) < max(early) * FLAT
        wait(slow, child)
    with redis.Redis.from_url(slow.redis) as client:
        assert all(client.exists(f"{slow.key_prefix}rec:u{n}") for n in range(USERS))
