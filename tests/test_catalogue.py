"""What `items` says: who may be shown when, and what is no message becomes a dead letter."""

import asyncio
import json
from typing import Any

import pytest

from contracts.settings import Settings
from streams.catalogue.catalogue import Catalogue
from streams.decode import Dead
from streams.shards import PlainRecord

NOW = 1_700_000_000.0


class Told:
    """A catalogue, what it has applied, and its clock."""

    def __init__(self) -> None:
        self.hidden: list[set[str]] = []
        self.dead: list[Dead] = []
        self.now = NOW
        self.catalogue = Catalogue(Settings(), self.apply, self.bury, lambda: self.now)

    def apply(self, hidden: frozenset[str]) -> None:
        """Note what is hidden."""
        self.hidden.append(set(hidden))

    async def bury(self, dead: Any) -> None:
        """Note why."""
        self.dead += [why for _, why in dead]

    def say(self, *values: Any, key: bytes | None = b"tea") -> None:
        """Take messages and apply them; a value that is not bytes or None is made JSON."""
        plain = [v if v is None or isinstance(v, bytes) else json.dumps(v).encode() for v in values]
        records = [PlainRecord(n, 0, value, key) for n, value in enumerate(plain)]

        async def take() -> None:
            await self.catalogue.take(records)
            self.catalogue.look()

        asyncio.run(take())

    def at(self, now: float) -> set[str]:
        """Return what is hidden at a time."""
        self.now = now
        self.catalogue.look()
        return self.hidden[-1] if self.hidden else set()


def test_hidden_shown_again_removed_and_brought_back() -> None:
    told = Told()
    told.say({"item": "tea", "hidden": True}, {"item": 7, "hidden": True})
    told.say({"item": "tea", "hidden": False})
    told.say(None)
    told.say({"item": "tea", "attributes": {"kind": "drink"}})
    assert told.hidden == [{"tea", "7"}, {"7"}, {"tea", "7"}, {"7"}]
    told.say({"item": "jam"})
    assert len(told.hidden) == 4  # nothing changed, so nothing is applied
    assert not told.dead


@pytest.mark.parametrize("until", [NOW + 60, "2023-11-14T22:14:20Z", "2023-11-14T22:14:20"])
def test_what_is_available_until_a_time_goes_by_itself(until: object) -> None:
    told = Told()
    told.say({"item": "tea", "attributes": {"available_until": until}})
    told.say({"item": "x", "hidden": True})
    assert told.at(NOW + 59.9) == {"x"}
    assert told.at(NOW + 60) == {"tea", "x"}
    told.say({"item": "tea", "attributes": {"available_until": NOW + 90}})
    assert told.at(NOW + 89) == {"x"}
    told.say({"item": "tea"})
    assert told.at(NOW + 100) == {"x"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff", "not_utf8"),
        ([], "not_object"),
        ({"hidden": True}, "missing_field"),
        ({"item": "tea", "hidden": "yes"}, "wrong_type"),
        ({"item": ""}, "empty_id"),
        ({"item": "x" * 300}, "long_id"),
        ({"item": "tea", "attributes": {"available_until": "soon"}}, "wrong_type"),
        ({"item": "tea", "attributes": {"available_until": True}}, "wrong_type"),
        ({"item": "tea", "attributes": {"available_until": NOW * 1000}}, "ts_in_milliseconds"),
    ],
)
def test_what_is_no_message_is_buried_and_changes_nothing(value: object, reason: str) -> None:
    told = Told()
    told.say({"item": "tea", "hidden": True}, value)
    assert [dead.reason for dead in told.dead] == [reason]
    assert told.hidden == [{"tea"}]


@pytest.mark.parametrize(("key", "reason"), [(None, "null_value"), (b"\xff", "not_utf8")])
def test_a_tombstone_needs_a_key_that_can_be_read(key: bytes | None, reason: str) -> None:
    told = Told()
    told.say(None, key=key)
    assert [dead.reason for dead in told.dead] == [reason]


@pytest.mark.parametrize("jumps", [0.2, 3600.0])
def test_it_wakes_when_something_expires(jumps: float) -> None:
    """By itself, long before it would look anyway; a clock that is set takes a little longer."""
    told = Told()
    due = NOW + (0.2 if jumps < 1 else 1800.0)

    async def work() -> None:
        value = json.dumps({"item": "tea", "attributes": {"available_until": due}})
        await told.catalogue.take([PlainRecord(0, 0, value.encode())])
        told.catalogue.look()
        running = asyncio.create_task(told.catalogue.run())
        await asyncio.sleep(0.05)
        assert not told.hidden
        told.now = NOW + jumps
        async with asyncio.timeout(0.9 if jumps < 1 else 10.0):
            while not told.hidden:
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(work())
    assert told.hidden == [{"tea"}]


def test_a_date_that_means_for_ever_is_one() -> None:
    told = Told()
    told.say({"item": "tea", "attributes": {"available_until": "9999-12-31"}})
    assert told.at(NOW) == set()
    assert not told.dead


def test_what_is_said_again_and_again_takes_no_more_room() -> None:
    told = Told()
    for n in range(20):
        values = [
            {"item": k, "attributes": {"available_until": NOW + 1_000 + n}} for k in range(200)
        ]
        told.say(*values)
    assert len(told.catalogue._due) < 2_000
    assert told.at(NOW + 1_018) == set()
    assert len(told.at(NOW + 1_019)) == 200
