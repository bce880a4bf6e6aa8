"""`headwater versions` and `headwater snapshot`, on a state that a real worker has learned."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from contracts import exits
from contracts.settings import Settings
from headwater import orders
from streams.kafka.topics import ensure
from tests import services
from tests.backup_kit import command, learned, of, send
from tests.producers_world import World, groups

STATE, USAGE, TOPICS = (e.code for e in (exits.STATE_REFUSED, exits.USAGE, exits.TOPICS_DIFFER))


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    return of(settings, tmp_path, 2)


@pytest.fixture
def other(world: World) -> Iterator[Settings]:
    """Give settings of other topics and another Redis prefix, and forget both afterwards."""
    old = world.settings
    new = {"topic_prefix": f"o{old.topic_prefix}", "key_prefix": f"o{old.key_prefix}"}
    changed = msgspec.structs.replace(old, **new, group=f"o{old.group}")
    ensure(changed)
    yield changed
    services.forget(old.kafka, old.redis, changed.topic_prefix, changed.key_prefix)


def found(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def forget(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis) as client:
        client.delete(*client.scan_iter(f"{settings.key_prefix}*"))


@pytest.mark.long
def exported(world: World, folder: Path) -> str:
    """Learn the first group and return the file that it is exported to."""
    file = str(folder / "state")
    learned(world, 0)
    assert command(world.settings, "snapshot", "export", file) == 0
    return file


@pytest.mark.parametrize(("partitions", "shared"), [(1, "items"), (2, "popularity")])
def test_what_was_saved_equals_what_the_log_says(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    partitions: int,
    shared: str,
) -> None:
    world = of(settings, tmp_path, partitions)
    learned(world, 0, 1)
    assert command(world.settings, "versions", "--json") == 0
    newest = found(capsys)[0]
    assert newest["complete"]
    assert newest["records"] == len(groups()[0]) + len(groups()[1])
    assert command(world.settings, "snapshot", "verify", "--json") == 0
    report = found(capsys)
    said = {(f["shard"], f["part"]): f["outcome"] for f in report["findings"]}
    assert (report["version"], report["begun_at"]) == (newest["version"], "the log's begin")
    assert said["0", "users"] == said["0", "intake"] == said["0", "learned"] == "equal"
    assert said["shared", shared] == "equal"


def test_a_file_brings_the_state_back_and_the_worker_goes_on(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = exported(world, tmp_path)
    forget(world.settings)
    with world.worker():
        assert command(world.settings, "snapshot", "import", file) == STATE
        assert "stop them first" in capsys.readouterr().err
    assert command(world.settings, "snapshot", "import", file) == 0
    assert command(world.settings, "snapshot", "list") == 0
    learned(world, 1)
    assert world.outcomes() == {}
    assert command(world.settings, "snapshot", "verify") == 0


@pytest.mark.long
def test_a_file_of_other_topics_is_adopted_only_when_asked(
    world: World,
    other: Settings,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    file = exported(world, tmp_path)
    assert command(other, "snapshot", "import", file) == STATE
    assert "--adopt" in capsys.readouterr().err
    assert command(other, "snapshot", "import", file, "--adopt", "same") == STATE
    assert "not the log of this state" in capsys.readouterr().err
    assert command(other, "snapshot", "import", file, "--adopt", "start") == 0
    there = World(other, tmp_path / "there")
    learned(there, 1)
    capsys.readouterr()
    assert command(other, "versions", "--json") == 0
    assert found(capsys)[0]["records"] == len(groups()[1])
    assert command(other, "recommend", "u0.0", "--json") == 0


@pytest.mark.long
def test_a_mirrored_log_is_adopted_at_the_same_offsets(
    world: World, other: Settings, tmp_path: Path
) -> None:
    file = exported(world, tmp_path)
    send(other, 0)
    assert command(other, "snapshot", "import", file, "--adopt", "same") == 0
    assert command(other, "snapshot", "verify") == 0


@pytest.mark.long
def test_an_order_of_the_other_log_is_obeyed_though_the_state_has_obeyed_more(
    world: World, other: Settings, tmp_path: Path
) -> None:
    file = str(tmp_path / "state")
    with world.worker():
        for action in ("freeze", "thaw"):
            assert command(world.settings, action) == 0
        n = send(world.settings, 0)
        world.until(lambda: world.came() >= n)
    assert command(world.settings, "snapshot", "export", file) == 0
    send(other, 0)
    assert command(other, "reset", "lists", "--no-wait") == 0
    assert command(other, "snapshot", "import", file, "--adopt", "same") == 0
    there = World(other, tmp_path / "there")
    with there.worker():
        there.until(lambda: len(orders.entries(other)) == other.partitions)
    assert {(e.action, e.outcome) for e in orders.entries(other)} == {("reset", "done")}


@pytest.mark.long
def test_a_file_of_another_key_is_read_with_that_key_only(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, key = str(tmp_path / "state"), tmp_path / "key"
    learned(world, 0)
    assert command(world.settings, "snapshot", "export", file) == 0
    key.write_text(world.settings.snapshot_key)
    mine = msgspec.structs.replace(world.settings, snapshot_key="quite another key")
    assert command(mine, "snapshot", "import", file) == USAGE
    assert "signature" in capsys.readouterr().err
    assert command(mine, "snapshot", "import", file, "--signed-by", str(key)) == 0
    assert command(mine, "snapshot", "verify") == 0


@pytest.mark.long
def test_a_damaged_file_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "state"
    learned(world, 0)
    assert command(world.settings, "snapshot", "export", str(file)) == 0
    whole = file.read_bytes()
    capsys.readouterr()
    for damaged in (whole[:-1], whole[:9], b"", whole + b"x", whole.replace(b"u0.0", b"u0.1")):
        file.write_bytes(damaged)
        assert command(world.settings, "snapshot", "import", str(file)) == USAGE
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "nothing was changed" in said
    assert command(world.settings, "snapshot", "verify") == 0


@pytest.mark.long
def test_more_partitions_than_in_the_file_are_refused(
    world: World, other: Settings, tmp_path: Path
) -> None:
    file = exported(world, tmp_path)
    more = msgspec.structs.replace(other, topic_prefix=f"m{other.topic_prefix}", partitions=3)
    ensure(more)
    try:
        assert command(more, "snapshot", "import", file, "--adopt", "start") == TOPICS
    finally:
        services.forget(more.kafka, more.redis, more.topic_prefix, more.key_prefix)
