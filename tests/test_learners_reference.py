"""A blend gives what a slow and plain reference gives, on small random streams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.pipeline import CoOccurrence, Generators, Pipeline, Popularity
from learners.recommender import Learned, Recommender, Shape, Users
from learners.step import UNJUDGED
from tests.learners_kit import as_events, dangling
from tests.reference import Plain, Reference

HOUR = 3600.0
NEAR = 1e-5
TINY = Shape(items=9, users=3, history=4, length=20)
SIZES = st.sampled_from(
    [TINY, TINY._replace(items=200, users=50), Shape(items=200, users=50, history=20, length=25)]
)
# Most events come at the same time, so that equals are common.
AHEAD, LATE = st.sampled_from([0, 0, 0, 1, 12]), st.sampled_from([0, 0, 0, 1, 30])
EVENT = st.tuples(st.integers(0, 5), st.integers(0, 6) | st.integers(0, 29), AHEAD, LATE)


def rules(pairs: bool = True, repeats: bool = True, half_life: float = HOUR) -> Plain:
    return Plain(half_life, 2 * half_life, 3, repeats, pairs)


def blend(shape: Shape, plain: Plain) -> Recommender:
    """Return a recommender that goes by the same numbers as the reference."""
    pairs = CoOccurrence(plain.pair_half_life, plain.neighbours) if plain.pairs else None
    popularity = Popularity((plain.half_life,), plain.half_life)
    generators = Generators(popularity, None, pairs, None, None)
    return Recommender(shape, Pipeline(head="blend", generators=generators), False)


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
    columns = (lists.item[0, :size], lists.score[0, :size], lists.via[0, :size])
    return {
        names[i]: (float(s), names[b] if b >= 0 else None) for i, s, b in zip(*columns, strict=True)
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENT, max_size=60), SIZES, st.booleans(), st.booleans())
def test_every_list_of_a_stream_is_the_references(
    choices: list[tuple[int, int, int, int]], shape: Shape, pairs: bool, repeats: bool
) -> None:
    # Times a whole number of half-lives apart make every sum exact, so ties stay ties, also
    # where the lightest neighbour makes room and where weights are scaled down.
    plain = rules(pairs, repeats)
    model, want = blend(shape, plain), Reference(shape, plain)
    users, now = model.open(), 0.0
    for user_no, item_no, ahead, late in choices:
        now += 2 * HOUR * ahead
        user, item, ts = f"u{user_no}", f"i{item_no}", now - 2 * HOUR * late
        learned = model.learn(users, as_events([(user, item, ts)], barred=not repeats))
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
    st.booleans(),
    st.floats(10_000.0, 1e6),
)
def test_times_of_any_kind_give_the_references_scores(
    choices: list[tuple[int, int, float]], pairs: bool, half_life: float
) -> None:
    shape, plain = Shape(items=50, users=50), rules(pairs, True, half_life)
    model, want = blend(shape, plain), Reference(shape, plain)
    users = model.open()
    for user_no, item_no, ts in choices:
        user, item = f"u{user_no}", f"i{item_no}"
        learned = model.learn(users, as_events([(user, item, ts)]))
        want.learn(user, item, ts)
        check_list(given_out(model, learned), want, user)


def position(model: Recommender, users: Users, user: str, item: str) -> int:
    """Return where an item stands in the list that a user would get now; -1 for a miss."""
    lists = model.peek(users, users.ids.find(user), model.latest)
    names = [model.ids.names[slot] for slot in lists.item[0, : min(int(lists.length[0]), 20)]]
    return names.index(item) if item in names else -1


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENT, max_size=40), st.booleans())
def test_the_judge_looks_before_anything_is_learned(
    choices: list[tuple[int, int, int, int]], repeats: bool
) -> None:
    model = blend(Shape(items=50, users=50), rules(True, repeats))
    users = model.open()
    waiting: dict[str, int] = {}
    for user_no, item_no, _, _ in choices:
        user, item = f"u{user_no}", f"i{item_no}"
        fresh = position(model, users, user, item)
        known, again = user in waiting, users.ids.find(user)
        stored = fresh
        if known:
            listed = users.rows.listed[again, : users.rows.length[again]]
            names = [model.ids.names[slot] for slot in listed]
            stored = names.index(item) if item in names else -1
        waiting[user] = 1
        events = as_events([(user, item, 0.0)], barred=not repeats)
        verdicts = model.learn(users, events).verdicts
        assert (int(verdicts.fresh[0]), bool(verdicts.known[0])) == (fresh, known)
        assert int(verdicts.stored[0]) == stored


def test_events_that_are_not_sampled_are_not_judged_fresh_by_a_head_that_learns_nothing() -> None:
    model = blend(TINY, rules())
    events = as_events([("ann", "tea", 0.0), ("ann", "tea", 1.0)])
    events.fresh[0] = False
    assert model.learn(model.open(), events).verdicts.fresh.tolist() == [UNJUDGED, 0]


def test_of_equals_the_one_that_came_first_stays_before() -> None:
    model = blend(Shape(items=50, users=50), rules()._replace(neighbours=32))
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
