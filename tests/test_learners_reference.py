"""The kernels give what a slow and plain reference gives, on small random streams."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.pipeline import (
    CoOccurrence,
    Generators,
    Neighbours,
    Pipeline,
    Popularity,
    Transitions,
)
from learners.batches import Learned
from learners.recommender import Recommender
from learners.room import View
from learners.step import UNJUDGED
from learners.users import Shape, Users
from tests.learners_kit import PIPELINE, SESSIONS, as_events, dangling, pages_in_use, seen_by
from tests.reference import Model, Reference, Seen

HOUR = 3600.0
NEAR = 1e-5
# Kernels take logarithms to base 2 to within .0001 (`learners.vectors.log2`); a rarity is the
# difference of two of them, as a natural one.
RARITY_ERROR = 2 * 1e-4 * math.log(2)
TINY = Shape(items=9, users=3, history=4, seen=16)
SIZES = st.sampled_from(
    [TINY, TINY._replace(items=200, users=50), Shape(items=200, users=50, history=20, length=25)]
)
ALONE = {"near": View.NEAR, "next": View.NEXT, "sequel": View.SEQUEL}
BY = st.sampled_from(["blend", "popular", *ALONE])
WIDTHS = st.sampled_from([1, 3, 64])
REPEATS = st.sampled_from(["always", "never", "learn"])
# Most events come at the same time, so that equals are common.
AHEAD, LATE = st.sampled_from([0, 0, 0, 1, 12]), st.sampled_from([0, 0, 0, 1, 30])
EVENT = st.tuples(st.integers(0, 5), st.integers(0, 6) | st.integers(0, 29), AHEAD, LATE)


def recommender(shape: Shape, model: Model) -> Recommender:
    """Return the recommender that is to do as a reference does."""
    width, by = model.width, model.by
    alone = {
        "near": Generators(co_occurrence=CoOccurrence(model.pair_half_life, width)),
        "next": Generators(
            co_occurrence=CoOccurrence(model.pair_half_life), transitions=Transitions(width)
        ),
        "sequel": Generators(co_occurrence=None, neighbours=Neighbours(SESSIONS, width)),
    }
    pairs = CoOccurrence(model.pair_half_life, width) if by == "blend" else None
    popular = Popularity((model.half_life,), model.half_life)
    blend = Pipeline(head="blend", generators=Generators(popular, None, pairs, None, None))
    pipeline = Pipeline(generators=alone[by]) if by in alone else blend
    return Recommender(shape, pipeline, model.repeats == "learn", ALONE.get(by))


def check_list(got: dict[str, tuple[float, str | None]], want: Reference, user: str) -> None:
    """Same scores; the best ones; in order up to ties; a reason as good as any."""
    scores = want.scores(user)
    near = NEAR
    if want.model.by == "sequel" and scores:  # a score is a mass by the largest: two rarities
        near += 2 * RARITY_ERROR / min(want._rarity(item) for item in scores)
    assert set(got) <= set(scores)
    assert len(got) == min(len(scores), max(want.shape.length, 20))
    listed = [score for score, _ in got.values()]
    assert listed == sorted(listed, reverse=True)
    for item, (score, because) in got.items():
        assert score == pytest.approx(scores[item].score, rel=near, abs=near)
        if scores[item].because:
            best = max(scores[item].because.values())
            assert because is not None
            assert scores[item].because[because] == pytest.approx(best, rel=NEAR)
    left_out = [s.score for item, s in scores.items() if item not in got]
    assert max(left_out, default=0.0) <= min(listed, default=0.0) + near


def given_out(model: Recommender, learned: Learned) -> dict[str, tuple[float, str | None]]:
    lists, names = learned.lists, model.ids.names
    size = int(lists.length[0])
    columns = (lists.item[0, :size], lists.score[0, :size], lists.via[0, :size])
    return {
        names[i]: (float(s), names[b] if b >= 0 else None) for i, s, b in zip(*columns, strict=True)
    }


@settings(max_examples=400, deadline=None)
@given(st.lists(EVENT, max_size=60), SIZES, BY, WIDTHS, REPEATS)
@example([(0, item, 0, 0) for item in [0] * 12 + [1, 0, 1]], TINY, "next", 1, "always")
def test_every_list_of_a_stream_is_the_references(
    choices: list[tuple[int, int, int, int]], shape: Shape, by: str, width: int, repeats: str
) -> None:
    # Times a whole number of half-lives apart make every sum exact, so ties stay ties, also
    # where the lightest neighbour makes room and where weights are scaled down.
    pair_half_life = 2 * HOUR if by in ("blend", "popular") else 2_000 * HOUR
    kind = Model(by, HOUR, pair_half_life, width, repeats)
    model, want = recommender(shape, kind), Reference(shape, kind)
    users, now = model.open(), 0.0
    for user_no, item_no, ahead, late in choices:
        now += 2 * HOUR * ahead
        user, item, ts = f"u{user_no}", f"i{item_no}", now - 2 * HOUR * late
        events = as_events([(user, item, ts)], barred=repeats == "never")
        learned = model.learn(users, events)
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
    st.sampled_from(["blend", "popular", "near"]),
    st.floats(100_000.0, 1e6),
)
def test_times_of_any_kind_give_the_references_scores(
    choices: list[tuple[int, int, float]], by: str, half_life: float
) -> None:
    shape, kind = Shape(items=50, users=50), Model(by, half_life, 2 * half_life)
    model, want = recommender(shape, kind), Reference(shape, kind)
    users = model.open()
    for user_no, item_no, ts in choices:
        user, item = f"u{user_no}", f"i{item_no}"
        learned = model.learn(users, as_events([(user, item, ts)]))
        want.learn(user, item, ts)
        check_list(given_out(model, learned), want, user)


def place(items: list[str], item: str) -> int:
    return items[:20].index(item) if item in items[:20] else -1


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENT, max_size=60), SIZES, BY | st.just("softmax"), REPEATS)
def test_the_judge_looks_before_anything_is_learned(
    choices: list[tuple[int, int, int, int]], shape: Shape, by: str, repeats: str
) -> None:
    kind = Model(by, HOUR, 2 * HOUR, repeats=repeats)
    soft = Recommender(shape, PIPELINE, repeats == "learn")
    model = soft if by == "softmax" else recommender(shape, kind)
    users, want = model.open(), Reference(shape, kind)
    for n, (user_no, item_no, _, _) in enumerate(choices):
        user, item = f"u{user_no}", f"i{item_no}"
        if item not in model.ids and model.ids.full:
            model._sweep()
        known, stored = looked_up(model, users, user)
        lists = model.peek(users, users.ids.find(user), float(n))
        fresh = [model.ids.names[slot] for slot in lists.item[0, : lists.length[0]]]
        top = model.world.trend.top[model.rules.baseline, : len(model.ids)]
        popular = [model.ids.names[slot] for slot in top if slot >= 0]
        met = [name for page in seen_by(model, users, user) for name, _ in page]
        events = as_events([(user, item, float(n))], barred=repeats == "never")
        verdicts = model.learn(users, events).verdicts
        assert int(verdicts.popular[0]) == place(popular, item)
        assert int(verdicts.fresh[0]) == place(fresh, item)
        assert int(verdicts.stored[0]) == place(stored or fresh, item)
        assert bool(verdicts.known[0]) == known
        assert bool(verdicts.new[0]) == (item not in met)
        want.learn(user, item, float(n))
        assert model.world.trend.repeats.tolist() == [want.known, want.again]


def looked_up(model: Recommender, users: Users, user: str) -> tuple[bool, list[str]]:
    """Return whether a user has chosen something, and the list that waits."""
    row = users.ids.find(user)
    if row < 0:
        return False, []
    listed = users.rows.listed[row, : users.rows.length[row]]
    return bool(users.rows.chosen[row]), [model.ids.names[slot] for slot in listed]


@pytest.mark.parametrize("by", ["popular", "next"])
def test_events_that_are_not_sampled_are_known_for_repeats_though_not_judged_fresh(by: str) -> None:
    model = recommender(TINY, Model(by, HOUR, HOUR, repeats="learn"))
    events = as_events([("ann", "tea", 0.0), ("ann", "tea", 1.0), ("ann", "jam", 2.0)])
    events = events._replace(fresh=np.array([False, False, True]))
    verdicts = model.learn(model.open(), events).verdicts
    assert verdicts.fresh.tolist() == [UNJUDGED, UNJUDGED, -1]
    assert verdicts.new.tolist() == [True, False, True]
    assert model.world.trend.repeats.tolist() == [2, 1]


def test_of_equals_the_one_that_came_first_stays_before() -> None:
    model = recommender(Shape(items=50, users=50), Model("near", HOUR, 2 * HOUR))
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


SIGHT = st.tuples(st.integers(0, 3), st.integers(0, 59), st.sampled_from([0.0, 1.0, 1.0, -1.0]))


@settings(max_examples=150, deadline=None)
@given(st.lists(SIGHT, min_size=40, max_size=250), st.sampled_from([(60, 3), (9, 4), (60, 1)]))
def test_what_a_user_has_seen_is_exact_up_to_the_bound_then_the_oldest_page_goes(
    sights: list[tuple[int, int, float]], sizes: tuple[int, int]
) -> None:
    items, capacity = sizes
    shape = Shape(items=60, users=capacity, seen=32)
    model, want = Recommender(shape, PIPELINE), Reference(shape, Model("popular", HOUR, HOUR))
    users = model.open()
    for user_no, item_no, weight in sights:
        user, item = f"u{user_no}", f"i{item_no % items}"
        events = as_events([(user, item, 0.0)], barred=weight < 0.0)
        model.learn(users, events._replace(weight=np.array([weight])))
        if weight > 0.0:
            want.learn(user, item, 0.0)
        note_user(want, user, item, weight)
        pages = [[entry for entry in page if entry] for page in want.seen[user].pages]
        assert seen_by(model, users, user) == pages
    assert pages_in_use(users) == sum(len(want.seen[user].pages) for user in want.history)


def note_user(want: Reference, user: str, item: str, weight: float) -> None:
    """Do with a reference what an event without a choice does: only the user takes note."""
    if weight > 0.0:
        return
    if user not in want.history:
        if len(want.history) >= want.shape.users:
            want.history.popitem(last=False)
        want.history[user] = []
        want.seen[user] = Seen(want.shape.seen)
    want.history.move_to_end(user)
    if weight < 0.0:
        want.seen[user].note(item, True)
