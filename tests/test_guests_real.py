"""Guests become accounts of another partition, on two real workers, one of which is killed."""

import json
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from contracts import keys
from contracts.settings import Settings
from headwater.cli import main
from tests import saved_state
from tests.producers_world import START, Event, World, groups, java_partition
from tests.test_forget_real import environ_of, keys_with
from tests.test_orders_real import all_committed, quick, send
from tests.test_worker_poison import letters

__all__ = ["quick"]
PARTITIONS = 2


def say(world: World, *messages: Any) -> None:
    """Send messages to `users`."""
    producer = Producer({"bootstrap.servers": world.settings.kafka})
    for message in messages:
        producer.produce(f"{world.settings.topic_prefix}users", json.dumps(message), "key")
    assert producer.flush(30) == 0


def account_of(guest: str) -> str:
    """Return an account that belongs to the other partition."""
    home = java_partition(guest, PARTITIONS)
    names = (f"account of {guest} {n}" for n in range(99))
    return next(name for name in names if java_partition(name, PARTITIONS) != home)


def listed(settings: Settings, users: list[str]) -> dict[str, Any]:
    """Return the lists that stand in Redis."""
    with redis.Redis.from_url(settings.redis) as client:
        found = {u: client.get(keys.REC.at(settings.key_prefix, user=u)) for u in users}
    return {user: json.loads(value) for user, value in found.items() if value}


def histories(events: list[Event]) -> dict[str, list[str]]:
    """Return what each user has chosen, newest first."""
    found: dict[str, list[str]] = {}
    for event in {e.value: e for e in events if e.item}.values():
        found.setdefault(event.user, []).insert(0, event.item)
    return found


def test_guests_are_accounts_once_whoever_dies(
    quick: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = msgspec.structs.replace(quick, partitions=PARTITIONS)
    one, two = World(settings, tmp_path / "one"), World(settings, tmp_path / "two")
    first, second, *_ = groups(seed=41)
    chosen = histories(first)
    accounts = {guest: account_of(guest) for guest in chosen}

    def merged() -> bool:
        there = listed(settings, list(accounts.values()))
        return len(there) == len(accounts) and not listed(settings, list(accounts))

    with one.worker():
        with two.worker() as killed:
            send(one, first)
            one.until(lambda: all_committed(one))
            say(one, *({"user": a, "merge_from": g} for g, a in accounts.items()))
            say(one, {"user": "eve", "merge_from": True}, {"merge_from": "eve"})
            killed.send(signal.SIGKILL)
        one.until(merged)
        with two.worker():
            send(one, second)
            one.until(lambda: all_committed(one))
            one.until(lambda: len(letters(settings)) >= 4)
    with one.worker():  # it reads all of `users` once more
        one.until(lambda: saved_state.is_whole(settings))
    assert merged()
    found = saved_state.read(settings, START)
    wanted = histories(first + second)
    for guest, account in accounts.items():
        assert found.history[account] == wanted.pop(guest)[:20]
        assert found.owner[account] != java_partition(guest, PARTITIONS)
    assert found.owner.keys() == {*accounts.values(), *wanted}
    counts: dict[str, int] = {}
    for items in histories(first + second).values():
        for item in items:
            counts[item] = counts.get(item, 0) + 1
    assert {item: n for item, n in found.seen.items() if n} == counts
    reasons = [letter["reason"] for letter in letters(settings) if letter["topic"] == "users"]
    assert reasons == ["wrong_type", "missing_field"]
    hold_export(settings, accounts, monkeypatch, capsys)


def hold_export(
    settings: Settings,
    accounts: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Hold that what is held about a guest is held about the account, and nowhere else."""
    environ_of(settings, monkeypatch)
    monkeypatch.setenv("HEADWATER_PARTITIONS", str(PARTITIONS))
    guest, account = next(iter(accounts.items()))
    assert main(["export-user", account, "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert len(held["state"]["choices"]) == 20
    assert len(held["state"]["seen"]) >= len({c["item"] for c in held["state"]["choices"]})
    assert main(["export-user", guest]) == 2
    assert not [key for key in keys_with(settings, guest) if ":rec:" in key and account not in key]
