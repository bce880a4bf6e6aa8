"""Diversity and calibration: the kernels choose what a plain reference chooses."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from contracts.checked import Mistake
from contracts.pipeline import Pipeline
from contracts.scenarios import Pin, Scenario
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from tests.streams_kit import run
from tests.test_hiding import ITEMS, USERS, teach
from tests.test_scenarios import attributes, unit_of

LENGTH, POOL = 8, 24
SCENARIOS = {
    "all": Scenario(length=96, made="always"),
    "diverse": Scenario(length=LENGTH, diversity=0.4, diverse_by=("third", "half")),
    "together": Scenario(length=LENGTH, diversity=0.7),
    "mixed": Scenario(length=LENGTH, calibration=0.6, calibrated_by="third"),
    "both": Scenario(
        length=LENGTH,
        diversity=0.3,
        diverse_by=("third",),
        calibration=0.4,
        calibrated_by="half",
        caps={"third": 4},
        pins={"it": Pin(items=("i5",), places=(2,))},
    ),
}
VARIED = Pipeline(scenarios=SCENARIOS)
BLEND = Pipeline(head="blend", scenarios=SCENARIOS)
Likeness = Callable[[str, str], float]
Mix = Callable[[list[str]], float]


def taught(pipeline: str) -> tuple[Interactions, InteractionsShard]:
    unit, shard, _ = unit_of(f"{__name__}:{pipeline}")
    for k in range(ITEMS):
        unit.describe(f"i{k}", attributes(f"i{k}"))
    teach(shard, 450)
    run(unit.tick())
    return unit, shard


def ranked(unit: Interactions, shard: InteractionsShard, user: str) -> list[dict[str, float]]:
    """Return the lists of all scenarios in order, items with their scores."""
    slots, names = shard.users.ids.find_all([user]), unit.model.ids.names
    everything = np.ones((1, len(SCENARIOS)), np.bool_)
    lists, _ = unit.scenarios.ranker.rank(shard.users, slots, everything, unit.model.latest)
    return [
        {names[slot]: float(score) for slot, score in zip(row[:n], scores, strict=False)}
        for row, scores, n in zip(lists.item, lists.score, lists.length, strict=True)
    ]


def by_attributes(names: tuple[str, ...]) -> Likeness:
    def alike(taken: str, other: str) -> float:
        pairs = [(attributes(taken).get(name), attributes(other).get(name)) for name in names]
        return sum(bool(a is not None and a == b) for a, b in pairs) / len(names)

    return alike


def by_pairs(unit: Interactions) -> Likeness:
    model, known = unit.model, unit.model.world.items

    def alike(taken: str, other: str) -> float:
        a, b = model.ids.find_all([taken, other]).tolist()
        near = known.near[a, : known.near_size[a]].tolist()
        if b not in near:
            return 0.0
        age = model.world.trend.origin[-1] - model.latest
        weight = known.near_weight[a, near.index(b)] * 2 ** (age / model.rules.pair_half_life)
        return float(min(weight / math.sqrt(known.seen[a] * known.seen[b]), 1.0))

    return alike


def from_own_mix(unit: Interactions, shard: InteractionsShard, user: str, name: str) -> Mix:
    (slot,) = shard.users.ids.find_all([user])
    history = shard.users.rows.history[slot, : shard.users.rows.chosen[slot]].tolist()
    values = [attributes(unit.model.ids.names[item]).get(name) for item in history]
    own = Counter(value for value in values if value is not None)

    def distance(items: list[str]) -> float:
        found, of = 0.0, [attributes(item).get(name) for item in items]
        for value, times in own.items():
            part = times / own.total()
            mixed = 0.99 * of.count(value) / len(items) + 0.01 * part
            found += part * math.log(part / mixed)
        return found / math.log(100)

    return distance


def chosen(order: dict[str, float], rules: Scenario, alike: Likeness, distance: Mix) -> list[str]:
    pinned = [item for pin in rules.pins.values() for item in pin.items if item in order]
    pool = [item for item in order if item not in pinned][:POOL]
    top, taken = order[pool[0]], list(pinned)
    while len(taken) < LENGTH and pool:

        def value(item: str) -> float:
            found = (1 - rules.diversity - rules.calibration) * order[item] / top
            if rules.diversity:
                likeness = max([alike(other, item) for other in taken], default=0.0)
                found -= rules.diversity * likeness
            if rules.calibration:
                found -= rules.calibration * distance([*taken, item])
            return found

        best = max(pool, key=value)
        pool.remove(best)
        third = [attributes(item)["third"] for item in taken]
        if third.count(attributes(best)["third"]) < rules.caps.get("third", LENGTH):
            taken.append(best)
    others = taken[len(pinned) :]
    return [*others[:1], *pinned, *others[1:]] if pinned else others


@pytest.mark.parametrize("pipeline", ["VARIED", "BLEND"])
@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "all"])
def test_the_list_is_what_a_plain_reference_chooses(pipeline: str, scenario: str) -> None:
    unit, shard = taught(pipeline)
    rules, changed = SCENARIOS[scenario], 0
    for user in (f"u{k}" for k in range(USERS)):
        order, *lists = ranked(unit, shard, user)
        found = list(lists[list(SCENARIOS).index(scenario) - 1])
        alike = by_attributes(rules.diverse_by) if rules.diverse_by else by_pairs(unit)
        distance = from_own_mix(unit, shard, user, rules.calibrated_by)
        assert found == chosen(order, rules, alike, distance)
        changed += found != list(order)[:LENGTH]
    assert changed, "the rules matter here"


def test_a_stranger_has_no_mix_and_gets_the_best_first() -> None:
    unit, shard = taught("VARIED")
    order, _, _, mixed, _ = ranked(unit, shard, "nobody")
    assert list(mixed) == list(order)[:LENGTH]


def test_where_caps_leave_too_little_of_the_best_the_next_ones_fill_the_list() -> None:
    module: Any = globals()
    tight = Scenario(length=3, diversity=0.1, diverse_by=("half",), caps={"far": 1})
    module["TIGHT"] = Pipeline(scenarios={"all": SCENARIOS["all"], "tight": tight})
    unit, shard, _ = unit_of(f"{__name__}:TIGHT")
    for k in range(ITEMS):
        unit.describe(f"i{k}", {"far": max(k - 20, 0)})  # the popular are all of one value
    teach(shard, 450)
    run(unit.tick())
    names, slots = unit.model.ids.names, shard.users.ids.find_all(["u1"])
    wanted = np.array([[False, True]])
    lists, _ = unit.scenarios.ranker.rank(shard.users, slots, wanted, unit.model.latest)
    found = [int(names[slot][1:]) for slot in lists.item[0, : lists.length[0]]]
    assert len(found) == 3
    assert len({max(k - 20, 0) for k in found}) == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"diverse_by": ("third",)}, "diverse_by is without effect"),
        ({"calibrated_by": "third"}, "calibrated_by is without effect"),
        ({"calibration": 0.5}, "calibration is about nothing"),
        (
            {"diversity": 0.6, "calibration": 0.5, "calibrated_by": "third"},
            "calibration and diversity are more than 1 together",
        ),
        ({"diversity": 1.1}, "diversity must be a number ≥ 0 and ≤ 1"),
    ],
)
def test_what_says_nothing_or_too_much_is_a_mistake(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Mistake, match=said):
        Scenario(**given)
