"""Where taste turns memory is shortened: at one event, in every replay and on every worker."""

from itertools import pairwise

import numpy as np
import pytest

from contracts.pipeline import Pipeline
from headwater.shop import Change, shop
from learners import cleared, compare, erased, frozen
from learners.batches import Events, Learned
from learners.erased import Choice
from learners.recommender import Recommender
from learners.step import REMEMBER, TEACH
from learners.turns import SHORTENED
from learners.users import Shape, Users
from tests.learners_kit import learn_all, state_of

CHANGE, MANY = 6_000, 8_000
ROWS = list(shop(2, users=300, items=120, events=MANY, change=Change(CHANGE)))
STILL = list(shop(2, users=300, items=120, events=MANY))
Lives = tuple[Recommender, Users]


def events(first: int = 0, last: int = MANY, rows: list[dict[str, object]] = ROWS) -> Events:
    some = rows[first:last]
    users, items = ([str(row[name]) for row in some] for name in ("user", "item"))
    ts = [float(str(row["ts"])) for row in some]
    return Events.choices(users, items, ts, first_version=first + 1)


def born(pipeline: Pipeline = Pipeline(), served: bool = True) -> Lives:  # noqa: B008 - frozen
    model = Recommender(Shape(), pipeline)
    return model, model.open(served)


def turns(learned: list[Learned]) -> list[int]:
    """Return the events at which memory was shortened."""
    return np.flatnonzero(np.concatenate([each.verdicts.turn[:, 0] for each in learned])).tolist()


def test_a_change_of_taste_is_found_at_once_and_only_once() -> None:
    learned = learn_all(*born(), events())
    (turn,) = turns(learned)
    assert CHANGE < turn < CHANGE + 400
    before, after = learned[0].verdicts.turn[turn]
    assert 0.0 < after < 0.7 * before


def test_without_a_change_nothing_is_shortened() -> None:
    assert turns(learn_all(*born(), events(rows=STILL))) == []


def test_where_nothing_can_be_foretold_nothing_turns() -> None:
    drawn = np.random.default_rng(2).integers(3_000, size=25_000).tolist()
    rows = [{"user": f"u{n % 30}", "item": f"i{i}", "ts": float(n)} for n, i in enumerate(drawn)]
    assert turns(learn_all(*born(), events(0, len(rows), rows))) == []


@pytest.mark.parametrize(("rows", "expected"), [(ROWS, True), (STILL, False)])
def test_a_saved_state_tells_whether_memory_was_shortened(
    rows: list[dict[str, object]], expected: bool
) -> None:
    model, users = born()
    learn_all(model, users, events(rows=rows))
    parts = frozen.dump_items(model.pipeline, model.world, model.ids)
    assert compare.turned(parts) == expected


def test_who_does_not_want_it_is_spared() -> None:
    model, users = born(Pipeline(reacts=False))
    assert turns(learn_all(model, users, events())) == []
    assert not model.world.watch.seen.any()


def test_after_a_turn_what_was_learned_before_counts_an_eighth() -> None:
    model, users = born()
    (turn,) = turns(learn_all(model, users, events()))
    ts = np.array([float(str(row["ts"])) for row in ROWS])
    weight = 2.0 ** ((ts - ts[-1]) / model.rules.half_lives[-1])
    weight[:turn] /= 2.0**SHORTENED
    scale = 2.0 ** ((ts[-1] - model.world.trend.origin[-2]) / model.rules.half_lives[-1])
    assert model.world.trend.total[-1] / scale == pytest.approx(weight.sum(), rel=1e-6)


@pytest.mark.parametrize("when", [CHANGE + 40, CHANGE + 1_000])
def test_a_restored_state_turns_at_the_same_event(when: int) -> None:
    model, users = born()
    learn_all(model, users, events(0, when))
    model.world.items.dirty[:] = False
    twin = Recommender(Shape(), Pipeline())
    frozen.load_items(twin, frozen.dump_items(model.pipeline, model.world, model.ids))
    twin_users = twin.open()
    frozen.load_users(twin_users, twin.ids, frozen.dump_users(users, model.ids))
    assert turns(learn_all(model, users, events(when))) == turns(
        learn_all(twin, twin_users, events(when))
    )
    assert state_of(model, users) == state_of(twin, twin_users)


def test_the_cut_of_batches_changes_nothing() -> None:
    states = []
    for size in (7, MANY):
        model, users = born()
        for first, last in pairwise([*range(0, MANY, size), MANY]):
            learn_all(model, users, events(first, last))
        states.append(state_of(model, users))
    assert states[0] == states[1]


def test_a_worker_that_follows_turns_at_the_same_event() -> None:
    (owner, of_owner), (other, followed) = born(), born(served=False)
    found = [
        turns(learn_all(model, users, events()))
        for model, users in ((owner, of_owner), (other, followed))
    ]
    assert found[0] == found[1]
    for one, two in zip(owner.world.watch, other.world.watch, strict=True):
        assert (one == two).all()
    assert (owner.world.items.near_weight == other.world.items.near_weight).all()


def test_events_that_the_items_know_already_do_not_turn_them() -> None:
    model, users = born()
    learn_all(model, users, events(0, CHANGE))
    before = [column.tolist() for column in model.world.watch]
    assert turns([model.learn(users, events(CHANGE), REMEMBER)]) == []
    assert [column.tolist() for column in model.world.watch] == before


def test_a_reset_is_no_change_of_taste() -> None:
    model, users = born()
    learn_all(model, users, events(0, CHANGE, STILL))
    cleared.clear(model, "co_occurrence")
    assert turns([model.learn(users, events(CHANGE, rows=STILL), TEACH)]) == []


def test_who_chose_before_a_turn_takes_what_is_left_of_it_and_no_more() -> None:
    model, users = born()
    (turn,) = turns(learn_all(model, users, events()))
    name = str(ROWS[0]["user"])
    own = [k for k, row in enumerate(ROWS) if row["user"] == name]
    assert own[0] < turn
    older = [Choice(str(ROWS[k]["item"]), float(str(ROWS[k]["ts"])), 1.0) for k in own[:-20]]
    erased.erase(model, users, name, older)
    origin, half_life = model.world.trend.origin[-2], model.rules.half_lives[-1]
    left = sum(
        2.0 ** ((float(str(row["ts"])) - origin) / half_life - SHORTENED * (k < turn))
        for k, row in enumerate(ROWS)
        if row["user"] != name
    )
    assert model.world.trend.total[-1] == pytest.approx(left, rel=1e-6)
