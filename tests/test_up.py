"""`headwater up`, `status`, `topics`, `down`: a round trip through the real command line."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from contracts import exits
from contracts.topics import TOPICS
from headwater.local.background import KAFKA_PORT, REDIS_PORT
from headwater.local.processes import born


def headwater(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder` as someone there would, with nothing of Headwater's set."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("HEADWATER_")}
    command = [sys.executable, "-m", "headwater", *args]
    bare["PYTHONPATH"] = str(Path(__file__).parents[1])
    return subprocess.run(
        command,
        cwd=folder,
        env=bare | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(headwater(folder, "status", "--json").stdout)
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Give a folder in which the first `up` has run while both usual ports were taken."""
    folder = tmp_path_factory.mktemp("up")
    with ExitStack() as stack:
        for port in (KAFKA_PORT, REDIS_PORT):
            with suppress(OSError):  # somebody else holds it: as good
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        done = headwater(folder, "up")
    try:
        assert (done.returncode, done.stderr) == (0, "")
        yield folder, done.stdout
    finally:
        headwater(folder, "down")


def test_a_taken_port_gives_the_next_free_one_and_says_so(first: tuple[Path, str]) -> None:
    folder, said = first
    assert f"port {KAFKA_PORT} is taken, Kafka gets " in said
    assert f"port {REDIS_PORT} is taken, Redis gets " in said
    found = status(folder)
    assert f"Kafka  {found['kafka']['address']}\n" in said
    assert f"Redis  {found['redis']['address']}\n" in said


def test_up_says_what_to_do_next(first: tuple[Path, str]) -> None:
    for command in ("worker", "replay FILE", "status", "down"):
        assert f"`headwater {command}`" in first[1]


def test_up_made_the_topics_and_a_key_that_only_its_owner_reads(first: tuple[Path, str]) -> None:
    folder, _ = first
    key = folder / ".headwater" / "snapshot.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    kafka = status(folder)["kafka"]
    assert kafka["topics"] == [topic.name for topic in TOPICS]
    assert (kafka["differences"], kafka["lag"]) == ([], 0)


def test_a_second_up_leaves_what_runs(first: tuple[Path, str]) -> None:
    folder, _ = first
    before = status(folder)
    done = headwater(folder, "up")
    assert done.returncode == 0
    assert "Kafka runs already at" in done.stdout
    assert "Redis runs already at" in done.stdout
    assert status(folder) == before


def test_other_commands_find_the_services_without_being_told(first: tuple[Path, str]) -> None:
    folder, _ = first
    said = headwater(folder, "settings", "--json").stdout
    found = json.loads(said)
    origins = {name: found[name]["origin"] for name in ("kafka", "redis", "snapshot_key")}
    assert set(origins.values()) == {"headwater up"}
    assert found["snapshot_key"]["value"] == "***"
    assert headwater(folder, "topics").returncode == 0


def test_topics_says_what_differs_with_its_exit_code(first: tuple[Path, str]) -> None:
    folder, _ = first
    done = headwater(folder, "topics", HEADWATER_PARTITIONS="8")
    assert done.returncode == exits.TOPICS_DIFFER.code
    assert "interactions: partition count is 4, not 8" in done.stdout
    assert done.stderr == ""


def test_status_says_who_is_away(first: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = first
    assert headwater(folder, "status").returncode == 0
    assert headwater(folder, "status", HEADWATER_REDIS="redis://127.0.0.1:1/0").returncode == 12
    nothing = headwater(
        tmp_path, "status", HEADWATER_KAFKA="127.0.0.1:1", HEADWATER_REDIS="redis://127.0.0.1:1/0"
    )
    assert nothing.returncode == exits.KAFKA_AWAY.code
    assert nothing.stdout.startswith("Kafka  away: no broker answers at 127.0.0.1:1")


def test_data_is_kept_between_runs_and_down_leaves_nothing(first: tuple[Path, str]) -> None:
    folder, _ = first
    before = status(folder)
    pids = [before[name]["pid"] for name in ("kafka", "redis")]
    with redis.Redis.from_url(before["redis"]["address"]) as client:
        client.set("hw:kept", "1", ex=600)
    down = headwater(folder, "down")
    assert (down.returncode, down.stderr) == (0, "")
    assert [born(pid) for pid in pids] == ["", ""]
    assert headwater(folder, "down").returncode == 0

    assert headwater(folder, "up").returncode == 0
    after = status(folder)
    assert after["kafka"]["topics"] == before["kafka"]["topics"]
    with redis.Redis.from_url(after["redis"]["address"]) as client:
        assert client.get("hw:kept") == b"1"


def test_up_that_cannot_start_kafka_leaves_no_redis(tmp_path: Path) -> None:
    (tmp_path / "home" / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "home" / "kafka" / "data" / "meta.properties").write_text("version=1\n")
    done = headwater(tmp_path, "up", HEADWATER_HOME="home")
    assert done.returncode == exits.SERVICE_FAILED.code
    assert done.stderr.startswith("headwater: Kafka ended at its start: ")
    assert done.stderr.count("\n") == 1
    assert json.loads((tmp_path / "home" / "services.json").read_text()) == {}


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = headwater(tmp_path, "up", HEADWATER_HOME="file/home")
    assert done.returncode == exits.USAGE.code
    assert done.stderr.startswith("headwater: HEADWATER_HOME=")
