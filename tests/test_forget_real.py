"""Forgotten by real workers on real Kafka and Redis, one of which is killed: nowhere any more."""

import argparse
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from contracts.settings import Settings
from headwater import forgetting, orders
from headwater.cli import main
from tests import saved_state
from tests.producers_world import START, Event, World, groups
from tests.test_orders_real import PARTITIONS, all_committed, quick, send, version

__all__ = ["quick"]
WHO = "ü0.3"
ARGS = argparse.Namespace(
    user=WHO, exact=True, rebuild=True, json=False, who="ann", why="", no_wait=False
)


def keys_with(settings: Settings, name: str) -> list[str]:
    """Return every key under our prefix that holds a name, in itself or in its value."""
    wanted = {name.encode(), json.dumps(name)[1:-1].encode()}

    def holds(data: bytes) -> bool:
        return any(text in data for text in wanted)

    with redis.Redis.from_url(settings.redis) as client:
        return [
            key.decode()
            for key in client.scan_iter(f"{settings.key_prefix}*", count=1_000)
            if holds(key) or any(holds(data) for data in values(client, key))
        ]


def values(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"hash":
        yield from client.hgetall(key).values()
    elif kind == b"stream":
        yield repr(client.xrange(key)).encode()
    else:
        yield client.get(key) or b""


def environ_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kafka", "redis", "topic_prefix", "key_prefix", "snapshot_key", "group"):
        monkeypatch.setenv(f"HEADWATER_{name.upper()}", getattr(settings, name))


def hold_gone(world: World, wanted: dict[str, int]) -> None:
    """Hold that no key and no state knows the person, and that items count without them."""
    assert keys_with(world.settings, WHO) == []
    found = saved_state.read(world.settings, START)
    assert WHO not in found.owner
    assert {item: n for item, n in found.seen.items() if n} == wanted


def exported(capsys: pytest.CaptureFixture[str], count: int) -> None:
    """Hold that all is exported, and that it is as much as was sent."""
    assert main(["export-user", WHO, "--json", "--log"]) == 0
    found = json.loads(capsys.readouterr().out)
    (answer,) = found["redis"].values()
    events = [event for event in found["log"]["interactions"] if event["user"] == WHO]
    assert answer["user"] == WHO
    assert len({event["event_id"] for event in events}) == count
    last = [event["item"] for event in events][-20:]
    assert [choice["item"] for choice in found["state"]["choices"]] == last
    assert set(found["state"]["seen"]) == {event["item"] for event in events}


def chosen(events: list[Event]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in {e.value: e for e in events if e.item and e.user != WHO}.values():
        found[event.item] = found.get(event.item, 0) + 1
    return found


def test_forgotten_killed_restarted_and_rolled_back_the_person_is_nowhere(
    quick: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world, (first, second, *_) = World(quick, tmp_path / "one"), groups(seed=21)
    environ_of(quick, monkeypatch)
    with world.worker() as worker:
        send(world, first)
        world.until(lambda: all_committed(world))
        old = version(quick)
        assert keys_with(quick, WHO)
        exported(capsys, count=50)
        begun = time.monotonic()
        receipt = forgetting.forget(ARGS, quick)
        took = time.monotonic() - begun
        world.until(lambda: len(orders.entries(quick)) == 1 + PARTITIONS)
        worker.send(signal.SIGKILL)
    assert took < 20.0
    assert receipt.held
    assert receipt.removed["interactions"]["choices subtracted"] == 50
    assert receipt.log["interactions"].startswith("by ")
    assert receipt.remains
    hold_gone(world, chosen(first))
    with world.worker("--rebuild"):
        send(world, second)
        world.until(lambda: all_committed(world))
        assert main(["rollback", old, "--skip"]) == 2
        assert "no version" in capsys.readouterr().err
    hold_gone(world, chosen(first + second))
    assert main(["export-user", WHO]) == 2
    assert "nothing is held" in capsys.readouterr().err


@pytest.mark.long
def test_a_tombstone_is_obeyed_once_whoever_reads_it_again(
    quick: Settings,
    tmp_path: Path,
) -> None:
    world, (first, *_) = World(quick, tmp_path / "one"), groups(seed=22)
    with world.worker():
        send(world, first)
        world.until(lambda: all_committed(world))
        producer = Producer({"bootstrap.servers": quick.kafka})
        producer.produce(f"{quick.topic_prefix}users", None, WHO)
        assert producer.flush(30) == 0
        world.until(lambda: len(orders.entries(quick)) > 0)
        assert keys_with(quick, WHO) == []
    with world.worker():
        time.sleep(2.5)
    (entry,) = orders.entries(quick)
    assert (entry.action, entry.outcome, entry.who) == ("forget", "done", "forget")
    assert entry.counts["people"] == 1


def test_a_stranger_is_said_to_be_one_and_an_entry_names_nobody(
    quick: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World(msgspec.structs.replace(quick, partitions=2), tmp_path / "one")
    environ_of(quick, monkeypatch)
    monkeypatch.setenv("HEADWATER_PARTITIONS", "2")
    with world.worker():
        assert main(["forget", "nobody", "--why", "asked to"]) == 2
    said = capsys.readouterr()
    assert "nothing was held about 'nobody'" in said.err
    assert "log: 'interactions' has dropped the last event by" in said.out
    (entry,) = orders.entries(world.settings)
    assert (entry.action, entry.outcome, entry.why) == ("forget", "done", "asked to")
    assert "nobody" not in msgspec.json.encode(entry).decode()
