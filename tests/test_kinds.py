"""Conditions and boosts of scenarios, held against attributes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.checked import Mistake
from contracts.pipeline import Pipeline, digest
from contracts.scenarios import Boost, Condition, Pin, Scenario
from streams.interactions.kinds import Kinds

NOW = 1_700_000_000.0
CHEAP = {"price": Condition(at_most=3)}
DRINKS = Condition(any_of=("drink", "7", "true"))
CASES: list[tuple[Condition, Any, bool]] = [
    (DRINKS, "drink", True),
    (DRINKS, ["food", "drink"], True),
    (DRINKS, 7, True),
    (DRINKS, 7.0, True),
    (DRINKS, True, True),
    (DRINKS, "food", False),
    (DRINKS, None, False),
    (DRINKS, {"drink": 1}, False),
    (Condition(none_of=("drink",)), ["food", "drink"], False),
    (Condition(none_of=("drink",)), "food", True),
    (Condition(none_of=("drink",)), None, True),
    (Condition(at_least=5), 5, True),
    (Condition(at_least=5), 4.99, False),
    (Condition(at_least=5, at_most=6), [1, 9], False),
    (Condition(at_least=5, at_most=6), [1, 5.5], True),
    (Condition(at_least=0), True, False),
    (Condition(at_least=0), "5", False),
    (Condition(at_most=0), None, False),
    (DRINKS, 10**400, False),
    (DRINKS, [[["drink"]]], False),
    (Condition(any_of=("1000000000000000",)), 10**15, True),
    (Condition(at_least=5), 10**400, True),
]


def factor(scenario: Scenario, name: str, now: float = NOW, **attributes: Any) -> float:
    kinds = Kinds({"other": Scenario(), "it": scenario})
    kinds.tell(name, {k: v for k, v in attributes.items() if v is not None})
    return float(kinds.factors(now)[1, kinds.of.get(name, 0)])


@pytest.mark.parametrize(("condition", "value", "fits"), CASES)
def test_what_a_condition_says_of_an_attribute(
    condition: Condition, value: Any, fits: bool
) -> None:
    assert factor(Scenario(where={"kind": condition}), "tea", kind=value) == float(fits)


def test_all_conditions_must_hold() -> None:
    both = Scenario(where={"kind": DRINKS, "price": Condition(at_most=3)})
    assert factor(both, "tea", kind="drink", price=3) == 1.0
    assert factor(both, "tea", kind="drink", price=4) == 0.0


def test_boosts_multiply_for_a_while_and_only_what_fits() -> None:
    begin = datetime.fromtimestamp(NOW, UTC)
    cheap = Boost(factor=3.0, where={"price": Condition(at_most=3)}, start=begin)
    named = Boost(factor=2.0, items=("tea",), end=begin.replace(tzinfo=None))
    scenario = Scenario(where={"kind": DRINKS}, boosts={"cheap": cheap, "named": named})
    drink = {"kind": "drink", "price": 1}
    assert factor(scenario, "tea", NOW, **drink) == 3.0
    assert factor(scenario, "tea", NOW - 1, **drink) == 2.0
    assert factor(scenario, "jam", NOW - 1, **drink) == 1.0
    assert factor(scenario, "tea", NOW, kind="food", price=1) == 0.0


def test_an_item_that_is_named_is_boosted_without_a_message() -> None:
    kinds = Kinds({"it": Scenario(boosts={"tea": Boost(items=("tea",), factor=5.0)})})
    assert kinds.factors(NOW)[0, kinds.of["tea"]] == 5.0


def test_what_is_told_last_holds_and_who_is_not_told_of_is_of_kind_0() -> None:
    kinds = Kinds({"it": Scenario(where={"kind": DRINKS})})
    kinds.tell("tea", {"kind": "drink"})
    kinds.tell("jam", {"kind": "food"})
    assert (set(kinds.of), kinds.news(), kinds.news()) == ({"tea"}, ["tea"], [])
    kinds.tell("tea", {"kind": "drink", "price": 3})
    assert kinds.news() == []
    kinds.tell("tea", {})
    assert (kinds.of, kinds.news()) == ({}, ["tea"])


def test_values_of_capped_attributes_are_told_apart() -> None:
    kinds = Kinds({"it": Scenario(caps={"brand": 2}), "other": Scenario()})
    for name, brand in {"a": "x", "b": ["x", "y"], "c": "y", "d": None, "e": []}.items():
        kinds.tell(name, {} if brand is None else {"brand": brand})
    (values,) = kinds.values().tolist()
    of = {name: values[kinds.of.get(name, 0)] for name in "abcde"}
    assert of["a"] == of["b"] != of["c"]
    assert (of["d"], of["e"]) == (-1, -1)
    assert kinds.factors(NOW).tolist() == [[1.0] * 3] * 2


def test_pins_hold_for_a_while_and_only_for_what_fits_the_scenario() -> None:
    end = datetime.fromtimestamp(NOW, UTC)
    pins = {"named": Pin(items=("tea", "jam")), "cheap": Pin(where=CHEAP, end=end)}
    kinds = Kinds({"it": Scenario(where={"kind": DRINKS}, pins=pins), "other": Scenario()})
    kinds.tell("tea", {"kind": "drink", "price": 9})
    kinds.tell("jam", {"kind": "food", "price": 1})
    kinds.tell("water", {"kind": "drink", "price": 1})
    of = [kinds.of.get(name, 0) for name in ("tea", "jam", "water")]
    scenario, other, named, cheap = kinds.factors(NOW - 1)[:, of].tolist()
    assert (scenario, other) == ([1.0, 0.0, 1.0], [1.0, 1.0, 1.0])
    assert (named, cheap) == ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    assert kinds.factors(NOW)[3].tolist() == [0.0] * kinds.factors(NOW).shape[1]


@pytest.mark.parametrize("given", [{"boosts": {"summer": Boost()}}, {"pins": {"summer": Pin()}}])
def test_a_boost_or_a_pin_of_nothing_is_a_mistake(given: dict[str, Any]) -> None:
    with pytest.raises(Mistake, match=r"summer (boosts|pins) nothing"):
        Scenario(**given)


def test_a_place_begins_at_1() -> None:
    with pytest.raises(Mistake, match="places must be a list of"):
        Pin(items=("tea",), places=(0,))


def test_learned_state_does_not_belong_to_scenarios() -> None:
    assert digest(Pipeline(scenarios={"it": Scenario(length=3)})) == digest(Pipeline())
