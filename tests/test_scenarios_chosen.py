"""How a scenario's list is chosen: pins, and plain references of what kernels do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.pipeline import Pipeline
from contracts.scenarios import Condition, Pin, Scenario
from tests.streams_kit import run
from tests.test_hiding import ITEMS, USERS, Cutting, teach
from tests.test_scenarios import listed, taught

ALL = Scenario(length=96, made="always")  # everything, in order
PINS = {
    "third": Pin(items=("i29", "i28"), places=(3,)),
    "sixes": Pin(where={"third": Condition(any_of=("0",))}, places=(5, 1)),
    "over": Pin(items=("i27",), end=datetime(2020, 1, 1, tzinfo=UTC)),
    "far": Pin(items=("i26",), places=(90,)),
}
PINNED = Pipeline(
    scenarios={
        "all": ALL,
        "it": Scenario(length=8, made="always", pins=PINS),
        "tight": Scenario(
            length=3,
            made="always",
            caps={"third": 1},
            pins={"two": Pin(where={"third": Condition(any_of=("0",))}, places=(1, 2))},
        ),
        "new": Scenario(length=8, made="always", repeats="never", pins=PINS),
    }
)


def entries(answers: Cutting, user: str, scenario: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answers.read(f"hw:rec:{user}:{scenario}")["items"]
    return found


def laid_out(order: Sequence[str], length: int) -> tuple[list[str], set[str]]:
    """Return a list of PINS, and what of it is pinned."""
    left, pinned = list(order), list[tuple[int, str]]()
    sixes = {f"i{k}" for k in range(0, ITEMS, 3)}
    for place, held in [(1, sixes), (3, {"i29", "i28"}), (5, sixes), (90, {"i26"})]:
        for item in [item for item in left if item in held][:1]:
            left.remove(item)
            pinned.append((place, item))
    left = left[: length - len(pinned)]
    for place, item in pinned:
        left.insert(place - 1, item)
    return left, {item for _, item in pinned}


def test_what_is_pinned_stands_at_its_place_and_the_others_around_it() -> None:
    _, shard, answers = taught(f"{__name__}:PINNED")
    for user in (f"u{k}" for k in range(USERS)):
        order = listed(answers, f"hw:rec:{user}:all")
        assert len(order) == ITEMS
        seen = set(shard.holds(user)["seen"])
        for scenario, fit in [("it", order), ("new", [i for i in order if i not in seen])]:
            found = entries(answers, user, scenario)
            expected, pinned = laid_out(fit, 8)
            assert [entry["item"] for entry in found] == expected
            said = {entry["item"] for entry in found if entry["because"] == "pinned here"}
            assert said == pinned
    assert listed(answers, "hw:top:it")[7] == "i26"


def test_what_is_hidden_is_not_pinned_either() -> None:
    unit, shard, answers = taught(f"{__name__}:PINNED")
    unit.hide(frozenset({"i26", "i28"}))
    run(unit.tick())
    teach(shard, 50, 450)
    for user in (f"u{k}" for k in range(USERS)):
        assert listed(answers, f"hw:rec:{user}:it")[2] == "i29"
        assert "i26" not in listed(answers, f"hw:rec:{user}:it")


def test_a_pin_puts_no_more_of_one_value_on_a_list_than_caps_allow() -> None:
    _, _, answers = taught(f"{__name__}:PINNED")
    for user in (f"u{k}" for k in range(USERS)):
        found = entries(answers, user, "tight")
        thirds = [int(entry["item"][1:]) % 3 for entry in found]
        assert thirds[0] == 0
        assert sorted(thirds) == [0, 1, 2]
        assert [entry["because"] == "pinned here" for entry in found] == [True, False, False]


@pytest.mark.parametrize("head", ["mixture", "blend"])
def test_it_is_pinned_whatever_the_head_is(head: Any) -> None:
    module: Any = globals()
    module["OTHER"] = Pipeline(head=head, scenarios=PINNED.scenarios)
    _, _, answers = taught(f"{__name__}:OTHER")
    for user in (f"u{k}" for k in range(USERS)):
        order = listed(answers, f"hw:rec:{user}:all")
        assert listed(answers, f"hw:rec:{user}:it") == laid_out(order, 8)[0]
