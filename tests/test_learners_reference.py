"""The kernels give what a slow and plain reference gives, on small random streams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.rank import Rules, position
from learners.rank import rank as rank_kernel
from learners.recommender import Learned, Recommender, Shape, Users
from learners.step import UNJUDGED
from tests.learners_kit import as_events, dangling
from tests.reference import Reference

HOUR = 3600.0
NEAR = 1e-5
TINY = Shape(items=9, users=3, history=4, neighbours=3, length=20)
SIZES = st.sampled_from(
    [TINY, TINY._replace(items=200, users=50), Shape(items=200, users=50, history=20, length=25)]
)
SWITCHES = st.sampled_from([(True, True), (True, False), (False, True)])
# Most events come at the same time, so that equals are common.
AHEAD, LATE = st.sampled_from([0, 0, 0, 1, 12]), st.sampled_from([0, 0, 0, 1, 30])
EVENT = st.tuples(st.integers(0, 5), st.integers(0, 6) | st.integers(0, 29), AHEAD, LATE)


def rules(switches: tuple[bool, bool], repeats: bool, half_life: float = HOUR) -> Rules:
    pairs, fill = switches
    return Rules(half_life, 2 * half_life, repeats, pairs, fill)


def check_list(got: dict[str, tuple[float, str | None]], want: Reference, user: str) -> None:
    """Same scores; the best ones; in order up to ties; a reason as good as any."""
    scores = want.scores(user)
    assert set(got) <= set(scores)
    assert len(got) == min(len(scores), max(want.shape.length, 20))
    listed = [score for score, _ in got.values()]
    assert listed == sorted(listed, reverse=True)
    for item, (score, because) in got.items():
        assert score == pytest.approx(scores[item].score, rel=NEAR, abs=NEAR)
        if scores[item].because:
            best = max(scores[item].because.values())
            assert because is not None
            assert scores[item].because[because] == pytest.approx(best, rel=NEAR)
        else:
            assert because is None
    left_out = [s.score for item, s in scores.items() if item not in got]
    assert max(left_out, default=0.0) <= min(listed, default=0.0) + NEAR


def given_out(model: Recommender, learned: Learned) -> dict[str, tuple[float, str | None]]:
    lists, names = learned.lists, model.ids.names
    size = int(lists.length[0])
    columns = (lists.item[0, :size], lists.score[0, :size], lists.because[0, :size])
    return {
        names[i]: (float(s), names[b] if b >= 0 else None) for i, s, b in zip(*columns, strict=True)
    }


def fresh_position(model: Recommender, users: Users, user: str, item: str) -> int:
    """Rank now and look where the item stands; trending for those who chose nothing yet."""
    slot, wanted = users.ids.find(user), model.ids.find(item)
    chosen = int(users.rows.chosen[slot]) if slot >= 0 else 0
    if wanted < 0:
        return -1
    if not chosen:
        return int(position(model.trend.top, min(int(model.trend.size[0]), 20), wanted))
    history, room = users.rows.history[slot], model.room
    length = rank_kernel(model.rows, model.trend, history, chosen, model.rules, room)
    return int(position(room.item, min(length, 20), wanted))


def stored_position(model: Recommender, users: Users, user: str, item: str) -> int | None:
    slot = users.ids.find(user)
    length = int(users.rows.length[slot]) if slot >= 0 else 0
    listed = [model.ids.names[s] for s in users.rows.listed[slot, : min(length, 20)]]
    return (listed.index(item) if item in listed else -1) if length else None


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENT, max_size=60), SIZES, SWITCHES, st.booleans())
def test_every_list_of_a_stream_is_the_references(
    choices: list[tuple[int, int, int, int]],
    shape: Shape,
    switches: tuple[bool, bool],
    repeats: bool,
) -> None:
    # Times a whole number of half-lives apart make every sum exact, so ties stay ties, also
    # where the lightest neighbour makes room and where weights are scaled down.
    rule = rules(switches, repeats)
    model, want = Recommender(shape, rule), Reference(shape, rule)
    users, now = model.open(), 0.0
    for user_no, item_no, ahead, late in choices:
        now += 2 * HOUR * ahead
        user, item, ts = f"u{user_no}", f"i{item_no}", now - 2 * HOUR * late
        learned = model.learn(users, as_events([(user, item, ts)]))
        want.learn(user, item, ts)
        check_list(given_out(model, learned), want, user)
        assert dangling(model) == []
    assert list(want.chosen) == model.ids.dump()[0]
    assert list(want.history) == users.ids.dump()[0]
    assert want.evicted == model.ids.evicted
    for user, history in want.history.items():
        row = users.ids.find(user)
        slots = users.rows.history[row, : users.rows.chosen[row]]
        assert history == [model.ids.names[slot] for slot in slots]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 29), st.floats(-1e6, 2e6)), max_size=50),
    SWITCHES,
    st.floats(10_000.0, 1e6),
)
def test_times_of_any_kind_give_the_references_scores(
    choices: list[tuple[int, int, float]], switches: tuple[bool, bool], half_life: float
) -> None:
    shape, rule = Shape(items=50, users=50), rules(switches, True, half_life)
    model, want = Recommender(shape, rule), Reference(shape, rule)
    users = model.open()
    for user_no, item_no, ts in choices:
        user, item = f"u{user_no}", f"i{item_no}"
        learned = model.learn(users, as_events([(user, item, ts)]))
        want.learn(user, item, ts)
        check_list(given_out(model, learned), want, user)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENT, max_size=60), SIZES, st.booleans())
def test_the_judge_looks_before_anything_is_learned(
    choices: list[tuple[int, int, int, int]], shape: Shape, repeats: bool
) -> None:
    model = Recommender(shape, rules((True, True), repeats))
    users = model.open()
    for n, (user_no, item_no, _, _) in enumerate(choices):
        user, item = f"u{user_no}", f"i{item_no}"
        if item not in model.ids and model.ids.full:
            model._sweep()
        fresh, stored = (
            look(model, users, user, item) for look in (fresh_position, stored_position)
        )
        known = user in users.ids and bool(users.rows.chosen[users.ids.find(user)])
        popular = fresh_position(model, users, "nobody", item)
        verdicts = model.learn(users, as_events([(user, item, float(n))])).verdicts
        assert int(verdicts.popular[0]) == popular
        assert int(verdicts.fresh[0]) == fresh
        assert int(verdicts.stored[0]) == (popular if stored is None else stored)
        assert bool(verdicts.known[0]) == known


def test_events_that_are_not_sampled_are_not_judged_fresh() -> None:
    model = Recommender(TINY, rules((True, True), True))
    events = as_events([("ann", "tea", 0.0), ("ann", "tea", 1.0)])
    events = events._replace(fresh=np.array([False, True]))
    assert model.learn(model.open(), events).verdicts.fresh.tolist() == [UNJUDGED, 0]


def test_of_equals_the_one_that_came_first_stays_before() -> None:
    model = Recommender(Shape(items=50, users=50), rules((True, False), True))
    users = model.open()
    # One third is no binary fraction: rounding must not part the equals.
    for n in range(12):
        for user in (f"u{n}", f"v{n}", f"w{n}"):
            for item in ("tea", "a", "b", f"i{n}"):
                model.learn(users, as_events([(user, item, 0.0)]))
    learned = model.learn(users, as_events([("new", "tea", 0.0)]))
    assert [name for name in given_out(model, learned) if name.startswith("i")] == [
        f"i{n}" for n in range(12)
    ]
