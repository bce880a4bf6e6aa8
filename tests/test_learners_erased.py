"""A model without a person is that of a world without that person, as far as it is of sums."""

import numpy as np
import pytest

from learners import frozen
from learners.erased import Choice, Erased, erase, known_choices
from learners.recommender import Recommender
from learners.step import JUDGE
from learners.still import Stills
from learners.users import Shape, Users
from tests.learners_kit import (
    PIPELINE,
    Event,
    as_events,
    dangling,
    learn_all,
    pages_in_use,
    state_of,
    stream,
)

EVENTS = stream(1_500, users=40, items=60)
ROOMY = Shape(items=80, users=100, history=80)
SHORT = ROOMY._replace(history=5)
NOW = 1.4e9 + 30.0 * 1_500


def taught(events: list[Event], shape: Shape = ROOMY) -> tuple[Recommender, Users]:
    """Return a model that has learned these events."""
    model = Recommender(shape, PIPELINE)
    users = model.open()
    learn_all(model, users, as_events(events))
    return model, users


def without(user: str, events: list[Event] = EVENTS) -> list[Event]:
    return [event for event in events if event[0] != user]


def counts(model: Recommender) -> dict[str, int]:
    """Return how often each item was chosen that was."""
    seen = {name: int(model.world.items.seen[model.ids.find(name)]) for name in model.ids.dump()[0]}
    return {name: n for name, n in seen.items() if n} | {"": int(model.world.trend.clock[1])}


def weights(model: Recommender) -> dict[tuple[str, int], float]:
    """Return decayed counts, as they are at NOW."""
    trend, lives = model.world.trend, model.rules.half_lives
    scale = 2.0 ** ((trend.origin[:-1] - NOW) / lives)
    found = {("", k): float(w) for k, w in enumerate(trend.total * scale)}
    for name in model.ids.dump()[0]:
        row = model.world.items.weight[model.ids.find(name)] * scale
        found |= {(name, k): float(w) for k, w in enumerate(row) if w}
    return found


def pairs(model: Recommender) -> dict[tuple[str, str], float]:
    """Return what goes with what, as it weighs at NOW."""
    items, names = model.world.items, model.ids.names
    scale = 2.0 ** ((model.world.trend.origin[-1] - NOW) / model.rules.pair_half_life)
    return {
        (names[item], names[items.near[item, k]]): float(items.near_weight[item, k] * scale)
        for item in range(len(names))
        for k in range(items.near_size[item])
    }


def hold_equal(found: Recommender, wanted: Recommender) -> None:
    assert counts(found) == counts(wanted)
    assert weights(found) == pytest.approx(weights(wanted), rel=1e-9)
    largest = max(pairs(wanted).values())
    assert pairs(found) == pytest.approx(pairs(wanted), rel=1e-6, abs=1e-6 * largest)


def test_sums_are_those_of_a_world_that_never_saw_the_person() -> None:
    (model, users), (wanted, _) = taught(EVENTS), taught(without("u7"))
    erased = erase(model, users, "u7")
    assert (erased.whole, erased.choices) == (True, len(EVENTS) - len(without("u7")))
    hold_equal(model, wanted)
    assert model.world.trend.repeats.tolist() == wanted.world.trend.repeats.tolist()


def test_with_the_older_choices_from_the_log_sums_are_exact_though_histories_are_short() -> None:
    (model, users), (wanted, _) = taught(EVENTS, SHORT), taught(without("u7"), SHORT)
    own = [Choice(item, ts, 1.0) for user, item, ts in EVENTS if user == "u7"]
    assert known_choices(model, users, "u7") == [c._replace(saw=5) for c in own[-5:]]
    assert erase(model, users, "u7", own[:-5]).whole
    hold_equal(model, wanted)


def test_what_a_short_history_does_not_tell_remains_and_is_said_to() -> None:
    model, users = taught(EVENTS, SHORT)
    erased = erase(model, users, "u7")
    assert (erased.whole, erased.choices) == (False, 5)
    assert sum(counts(model).values()) == 2 * (1_500 - 5)


def test_everybody_can_leave_and_nothing_remains() -> None:
    model, users = taught(EVENTS)
    for user in users.ids.dump()[0]:
        erase(model, users, user)
    assert counts(model) == {"": 0}
    assert pairs(model) == {}
    items, trend = model.world.items, model.world.trend
    assert not items.weight.any()
    assert not items.after_size.any()
    assert not trend.size.any()
    assert not model.world.sessions.owner.any()
    assert len(users.ids) == 0
    assert pages_in_use(users) == 0


def test_the_person_is_in_no_part_of_the_state_and_others_stay() -> None:
    events = [("the person", item, ts) if user == "u7" else (user, item, ts)
              for user, item, ts in EVENTS]  # fmt: skip
    model, users = taught(events)
    tag = int(users.rows.tag[users.ids.find("the person")])
    others = {u: known_choices(model, users, u) for u in users.ids.dump()[0] if u != "the person"}
    erase(model, users, "the person")
    parts = b"".join(state_of(model, users).values())
    assert b"the person" not in parts
    assert tag.to_bytes(8, "little") not in parts
    assert "the person" not in users.ids.names
    assert {u: known_choices(model, users, u) for u in users.ids.dump()[0]} == others
    assert dangling(model) == []


def test_what_was_chosen_while_frozen_is_not_taken_from_the_items() -> None:
    (model, users), (wanted, _) = taught(EVENTS[:1_000]), taught(without("u7", EVENTS[:1_000]))
    model.learn(users, as_events(EVENTS[1_000:], 1_001), JUDGE)
    erase(model, users, "u7")
    hold_equal(model, wanted)


def test_items_that_do_without_the_person_already_stay_as_they_are() -> None:
    model, users = taught(EVENTS)
    before = frozen.dump_items(model.pipeline, model.world, model.ids)
    assert erase(model, users, "u7", shared_too=False).choices == 0
    assert frozen.dump_items(model.pipeline, model.world, model.ids) == before
    assert "u7" not in users.ids


def test_a_stranger_leaves_nothing_behind() -> None:
    model, users = taught(EVENTS[:100])
    assert erase(model, users, "nobody")[:4] == Erased()[:4]


def test_a_person_who_returns_is_a_stranger_and_learned_as_one() -> None:
    back = [("u7", f"i{k}", NOW + k) for k in range(5)]
    model, users = taught(EVENTS)
    erase(model, users, "u7")
    learn_all(model, users, as_events(back, 2_000))
    hold_equal(model, taught(without("u7") + back)[0])
    assert [c.item for c in known_choices(model, users, "u7")] == [item for _, item, _ in back]


def test_a_state_from_before_weights_were_kept_counts_choices_as_plain_ones() -> None:
    model, users = taught(EVENTS)
    parts = {**frozen.dump_users(Stills().users(users), model.ids)}
    del parts["users.gave"]
    loaded = model.open()
    frozen.load_users(loaded, model.ids, parts)
    assert np.array_equal(loaded.rows.gave[: len(users.ids)], users.rows.gave[: len(users.ids)])
