"""The fixtures themselves: the services are real and a test's names are its own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import redis
from kafka import KafkaAdminClient

from contracts.settings import Settings
from tests import leftovers

SLEEP = shutil.which("sleep")


def test_the_broker_of_the_fixtures_creates_a_topic(settings: Settings) -> None:
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.create_topics({settings.topic_prefix + "x": {}}, wait_for_metadata=True)
        assert settings.topic_prefix + "x" in admin.list_topics()


def test_the_redis_of_the_fixtures_keeps_a_value(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis) as client:
        client.set(settings.key_prefix + "x", "1", ex=60)
        assert client.get(settings.key_prefix + "x") == b"1"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into Linux's /proc")
def test_a_process_that_a_test_forgets_is_found(tmp_path: Path) -> None:
    mark = {leftovers.MARK: "forgotten", "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sleep", "600"], env=mark, start_new_session=True) as marked:
        with subprocess.Popen(["sleep", "600"], env={}, cwd=tmp_path, executable=SLEEP) as inside:
            until = time.monotonic() + 10.0
            found = leftovers.left_over("forgotten", tmp_path)
            while len(found) < 2 and time.monotonic() < until:
                # A child that has just begun has no environment yet.
                found = leftovers.left_over("forgotten", tmp_path)
            inside.kill()
        marked.kill()
    assert sorted(line.split(":")[0] for line in found) == sorted(
        [str(marked.pid), str(inside.pid)]
    )
    assert leftovers.left_over("forgotten", tmp_path) == []
