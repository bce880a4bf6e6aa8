"""The lists of scenarios: what they hold, whose are made, and that nothing is learned by them."""

from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.pipeline import Pipeline
from contracts.scenarios import Boost, Condition, Scenario
from contracts.settings import Settings
from state.misses import Wanted
from streams.interactions.asked import Asked
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import NoTelemetry
from tests.streams_kit import Answers, batch, event, parse, publish, record, run
from tests.test_hiding import ITEMS, ONE, USERS, Cutting, teach

RARE = {f"i{k}" for k in range(ITEMS - 12, ITEMS)}  # few choose these
ROOM = {"room": Condition(any_of=("kitchen",))}
SCENARIOS = {
    "kitchen": Scenario(where=ROOM, length=8),
    "new here": Scenario(repeats="never", made="always"),
}
PIPELINE = Pipeline(scenarios=SCENARIOS)
BLEND = Pipeline(head="blend", scenarios=SCENARIOS)
HERE = f"{__name__}:PIPELINE"


def unit_of(pipeline: str = HERE) -> tuple[Interactions, InteractionsShard, Cutting]:
    answers = Cutting()
    settings = msgspec.structs.replace(ONE, pipeline=pipeline)
    unit = Interactions(settings, NoTelemetry(), answers.send, answers.send)
    for item in RARE:
        unit.describe(item, {"room": ["kitchen", "hall"]})
    return unit, unit.open(0), answers


def ask(shard: InteractionsShard, *users: str, scenario: str = "kitchen") -> list[str]:
    taken = shard.ask([Wanted(user, scenario, 60.0) for user in users])
    run(shard.answer(taken)())
    return [one.user for one in taken]


def listed(answers: Answers, key: str) -> list[str]:
    return [entry["item"] for entry in answers.read(key)["items"]]


def attributes(item: str) -> dict[str, Any]:
    k = int(item[1:])
    return {"third": k % 3, **({"half": k % 2} if k < ITEMS - 4 else {})}


def taught(pipeline: str) -> tuple[Interactions, InteractionsShard, Cutting]:
    """Return a unit after 450 events, whose items have attributes."""
    unit, shard, answers = unit_of(pipeline)
    for k in range(ITEMS):
        unit.describe(f"i{k}", attributes(f"i{k}"))
    teach(shard, 400)
    run(unit.tick())
    teach(shard, 50, 400)
    return unit, shard, answers


@pytest.mark.parametrize("pipeline", [HERE, f"{__name__}:BLEND"])
def test_it_holds_only_what_fits_and_is_as_long_as_it_should_be(pipeline: str) -> None:
    unit, shard, answers = unit_of(pipeline)
    teach(shard, 600)
    run(unit.tick())
    assert ask(shard, "u1", "a stranger") == ["u1"]
    value = answers.read("hw:rec:u1:kitchen")
    assert list(value) == ["user", "scenario", "items", "version", "ts"]
    assert (value["user"], value["scenario"], value["version"]) == ("u1", "kitchen", 600)
    found = listed(answers, "hw:rec:u1:kitchen")
    assert len(found) == len(set(found)) == 8
    assert set(found) <= RARE
    assert set(listed(answers, "hw:top:kitchen")) <= RARE
    assert all(entry["because"] for entry in value["items"])


def test_only_who_asked_has_one_until_it_ages() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 300)
    run(unit.tick())
    assert not [key for key in answers.values if key.endswith(":kitchen") and "rec" in key]
    ask(shard, "u1")
    answers.values.clear()
    teach(shard, 50, 300)
    assert [k for k in answers.values if k.endswith(":kitchen")] == ["hw:rec:u1:kitchen"]
    assert answers.read("hw:rec:u1:kitchen")["version"] == 350


def test_a_list_ages_where_it_was_asked_for_and_a_slot_that_changes_hands_asks_for_nothing() -> (
    None
):
    _, shard, _ = unit_of()
    teach(shard, 50)
    now = [0.0]
    asked = Asked(SCENARIOS, shard.users, 100.0, lambda: now[0])
    wanted = [("u1", "kitchen"), ("u1", "unknown"), ("nobody", "kitchen")]
    taken = asked.note(Wanted(*one, 60.0) for one in wanted)
    assert taken == [("u1", "kitchen", 60.0)]
    slots = shard.users.ids.find_all(["u1"])
    assert asked.wanted(slots).tolist() == [[True, True]]
    now[0] = 59.5
    assert asked.left_s(slots.repeat(2), np.array([0, 1], np.int32)).tolist() == [1, 100]
    shard.users.rows.tag[slots] += 1
    assert asked.wanted(slots).tolist() == [[False, True]]
    shard.users.rows.tag[slots] -= 1
    now[0] = 60.0
    assert asked.wanted(slots).tolist() == [[False, True]]


def test_nothing_that_the_user_has_seen_where_repeats_are_never_wanted() -> None:
    _, shard, answers = unit_of()
    teach(shard, 200)
    for user in range(USERS):
        seen = set(shard.holds(f"u{user}")["seen"])
        assert seen & set(listed(answers, f"hw:rec:u{user}"))
        assert not seen & set(listed(answers, f"hw:rec:u{user}:new here"))


def test_what_is_boosted_stands_higher() -> None:
    boost = Boost(items=("i29",), factor=1e6)
    module: Any = globals()
    module["BOOSTED"] = Pipeline(scenarios={"it": Scenario(boosts={"one": boost}, made="always")})
    unit, shard, answers = unit_of(f"{__name__}:BOOSTED")
    teach(shard, 400)
    run(unit.tick())
    teach(shard, 50, 400)
    assert listed(answers, "hw:top:it")[0] == "i29"
    firsts = {
        listed(answers, key)[0] for key in answers.values if key.endswith(":it") and "rec" in key
    }
    assert firsts == {"i29"}


def test_no_more_of_one_value_than_the_caps_allow() -> None:
    module: Any = globals()
    module["CAPPED"] = Pipeline(
        scenarios={
            "mixed": Scenario(caps={"third": 2, "half": 3}, made="always"),
            "plain": Scenario(made="always"),
        }
    )
    _, _, answers = taught(f"{__name__}:CAPPED")
    for user in range(USERS):
        mixed = listed(answers, f"hw:rec:u{user}:mixed")
        plain = listed(answers, f"hw:rec:u{user}:plain")
        assert mixed == _capped(plain, len(mixed))


def _capped(items: list[str], length: int) -> list[str]:
    found: list[str] = []
    for item in items:
        k, kept = int(item[1:]), [int(name[1:]) for name in found]
        same_half = [n for n in kept if n < ITEMS - 4 and n % 2 == k % 2]
        if sum(n % 3 == k % 3 for n in kept) < 2 and (k >= ITEMS - 4 or len(same_half) < 3):
            found.append(item)
    return found[:length]


def test_nothing_that_is_learned_or_judged_knows_of_it() -> None:
    plain = Interactions(ONE, NoTelemetry(), Answers().send, Answers().send)
    plain_shard = plain.open(0)
    unit, shard, _ = unit_of()
    for begin in range(0, 600, 100):
        teach(plain_shard, 100, begin)
        teach(shard, 100, begin)
        run(plain.tick())
        run(unit.tick())
        ask(shard, *(f"u{k}" for k in range(USERS)))
    assert unit.shared_dump() == plain.shared_dump()
    assert shard.dump() == plain_shard.dump()


def test_what_is_hidden_is_on_none_and_is_cut_out_of_those_that_stand_there() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 400)
    run(unit.tick())
    ask(shard, "u1", "u2")
    gone = listed(answers, "hw:rec:u1:kitchen")[0]
    unit.hide(frozenset({gone}))
    run(shard.unlist({gone}, set())())
    assert {"kitchen"} <= answers.cut.keys()  # the last word of the key
    run(unit.tick())
    ask(shard, "u1")
    assert gone not in listed(answers, "hw:rec:u1:kitchen")
    assert gone not in listed(answers, "hw:top:kitchen")


def test_who_is_forgotten_has_none() -> None:
    unit, shard, _ = unit_of()
    teach(shard, 100)
    deleted: list[bytes] = []

    async def send(commands: list[bytes]) -> None:
        deleted.extend(commands)

    unit.publishing._send = send
    forgotten = shard.forget("u1")
    assert forgotten.publish is not None
    run(forgotten.publish())
    assert b"DEL" in deleted[0]
    assert b"hw:rec:u1:kitchen" in deleted[0]
    assert {b"ZREM", b"hw:asked:0", b"u1:kitchen"} <= set(parse(deleted[1]))


def test_items_that_are_told_of_later_and_slots_with_other_items_fit_as_they_are() -> None:
    small = msgspec.structs.replace(ONE, items_capacity=20, pipeline=HERE)
    answers = Cutting()
    unit = Interactions(small, NoTelemetry(), answers.send, answers.send)
    shard = unit.open(0)
    teach(shard, 300)
    for item in RARE:
        unit.describe(item, {"room": "kitchen"})
    for begin in range(300, 1_500, 100):
        teach(shard, 100, begin)
        run(unit.tick())
        ask(shard, "u3")
        assert set(listed(answers, "hw:rec:u3:kitchen")) <= RARE
    assert unit.model.ids.evicted
    assert listed(answers, "hw:rec:u3:kitchen")


def test_who_has_just_started_knows_what_fits() -> None:
    unit, shard, _ = unit_of()
    teach(shard, 400)
    shared, own = unit.shared_dump(), shard.dump()
    heir, first, answers = unit_of()
    heir.close(first.partition)
    heir.shared_load(shared)
    reborn = heir.open(0)
    reborn.load(own)
    ask(reborn, "u1")
    found = listed(answers, "hw:rec:u1:kitchen")
    assert len(found) == 8
    assert set(found) <= RARE


def test_an_item_of_a_new_kind_fits_where_it_fits_before_the_next_tick() -> None:
    module: Any = globals()
    cheap = Scenario(where={"price": Condition(at_most=3)})
    module["THREE"] = Pipeline(scenarios={**SCENARIOS, "cheap": cheap})
    unit, shard, answers = unit_of(f"{__name__}:THREE")
    teach(shard, 400)
    run(unit.tick())
    unit.describe("new", {"price": 1, "room": "hall"})
    publish(shard.handle(batch([record(event(999, user="u1", item="new"), 999)])))
    for scenario in ("kitchen", "cheap"):
        ask(shard, "u1", scenario=scenario)
    assert "new" not in listed(answers, "hw:rec:u1:kitchen")
    assert listed(answers, "hw:rec:u1:cheap") == ["new"]


def test_there_is_something_for_who_has_seen_what_is_popular() -> None:
    module: Any = globals()
    module["UNSEEN"] = Pipeline(scenarios={"it": Scenario(repeats="never", length=4)})
    unit, shard, answers = unit_of(f"{__name__}:UNSEEN")
    teach(shard, 400)
    records = [record(event(1_000 + k, user="fan", item=f"i{k}"), 1_000 + k) for k in range(20)]
    publish(shard.handle(batch(records)))
    run(unit.tick())
    ask(shard, "fan", scenario="it")
    assert len(listed(answers, "hw:rec:fan:it")) == 4


def test_settings_without_scenarios_make_none() -> None:
    unit = Interactions(Settings(), NoTelemetry(), Answers().send, Answers().send)
    run(unit.scenarios.publish_trending(Answers().send))
