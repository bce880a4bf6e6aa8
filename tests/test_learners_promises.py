"""What every ranker promises, one list for all of them."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from river import checks

from learners.fusion import Fusion
from learners.ranker import KernelRanker
from learners.sessions import tag_of
from tests.learners_kit import (
    ALONE,
    LEARNING,
    RANKERS,
    SESSIONS,
    SMALL,
    dangling,
    state,
    stream,
    teach,
)

every_ranker = pytest.mark.parametrize("name", RANKERS)
USERS = [f"u{n}" for n in range(30)]
ITEMS = {f"i{n}" for n in range(40)}
NEAR = 1e-5  # sums of 32-bit floats, taken in another order


def taught(name: str, events: int = 600) -> KernelRanker:
    ranker = RANKERS[name]()
    teach(ranker, stream(events, 30, 40))
    return ranker


def answers(ranker: KernelRanker, users: list[str]) -> list[object]:
    items = sorted(ITEMS)
    return [
        [ranker.candidates(u), ranker.rank(u, ITEMS), [ranker.predict_one(u, i) for i in items]]
        for u in users
    ]


@every_ranker
def test_reading_changes_nothing_strangers_included(name: str) -> None:
    ranker = taught(name)
    before = pickle.dumps(ranker)
    for user in [*USERS, "a stranger", 7]:
        ranker.rank(user, {*ITEMS, "a strange item", 9})
        ranker.candidates(user, 50)
        ranker.candidates(user, 5, x={"ts": 2e9})
        ranker.predict_one(user, "i1")
        ranker.predict_one(user, "a strange item", x={"ts": 2e9})
    assert pickle.dumps(ranker) == before


@every_ranker
def test_reading_before_the_first_event_changes_nothing(name: str) -> None:
    ranker = RANKERS[name]()
    before = pickle.dumps(ranker)
    assert ranker.candidates("ann") == []
    assert ranker.predict_one("ann", "tea") == 0.0
    assert ranker.rank("ann", {"tea", "jam"}) == ["jam", "tea"]
    assert pickle.dumps(ranker) == before


@every_ranker
def test_a_stranger_gets_an_answer_for_every_item(name: str) -> None:
    ranked = taught(name).rank("a stranger", {*ITEMS, "a strange item"})
    assert sorted(map(str, ranked)) == sorted({*ITEMS, "a strange item"})


@every_ranker
def test_a_stranger_gets_what_is_trending(name: str) -> None:
    ranker = taught(name)
    lists, names = ranker.recommender.trending(), ranker.recommender.ids.names
    top = [names[slot] for slot in lists.item[0, : lists.length[0]]]
    assert top == ranker.candidates("nobody")
    assert len(top) == (0 if name in ALONE else 20)


@every_ranker
def test_other_ids_change_nothing_but_the_names(name: str) -> None:
    events = stream(600, 30, 40)
    numbers = np.random.default_rng(3).permutation(1000)
    other = {f"i{n}": f"é{numbers[n]}" for n in range(40)}
    renamed = {user: user[::-1] + "!" for user in [*USERS, "someone else"]}
    for names in (USERS, [renamed[user] for user in USERS]):
        assert len({tag_of(user) % SESSIONS for user in names}) == len(USERS)
        assert len({tag_of(user) % 100_000 for user in names}) == len(USERS)
    one, two = RANKERS[name](), RANKERS[name]()
    teach(one, events)
    teach(two, [(renamed[user], other[item], ts) for user, item, ts in events])
    for user, twin in renamed.items():
        assert [other[i] for i in one.candidates(user)] == two.candidates(twin)
        for item in sorted(ITEMS):
            assert one.predict_one(user, item) == two.predict_one(twin, other[item])


@every_ranker
def test_a_restored_ranker_lives_the_same_life(name: str) -> None:
    ranker = taught(name)
    twin = pickle.loads(pickle.dumps(ranker))  # noqa: S301 - our own bytes
    later = stream(300, 60, 80, seed=8)
    teach(ranker, later)
    teach(twin, later)
    assert state(twin) == state(ranker)
    assert answers(twin, USERS) == answers(ranker, USERS)


@every_ranker
def test_rank_is_by_score_and_of_equals_by_alphabet(name: str) -> None:
    ranker = taught(name)
    for user in USERS:
        # What is barred is scored when asked for, and then among those that others are scored with.
        ranked = ranker.rank(user, {*ranker.candidates(user, 50), "z2", "z1"})
        scores = [ranker.predict_one(user, item) for item in ranked]
        assert all(a >= b * (1 - NEAR) for a, b in pairwise(scores))
        nothing = [item for item, score in zip(ranked, scores, strict=True) if score == 0.0]
        assert nothing == sorted(nothing, key=str)
        assert {"z1", "z2"} <= set(nothing)


@every_ranker
def test_a_list_is_what_scores_best(name: str) -> None:
    ranker = taught(name)
    for user in USERS:
        best = ranker.candidates(user)
        scores = [ranker.predict_one(user, item) for item in best]
        assert all(a >= b * (1 - NEAR) for a, b in pairwise(scores))
        assert len(set(best)) == len(best) <= 20


@pytest.mark.parametrize("name", SMALL)
def test_memory_is_bounded_under_a_flood_of_one_time_ids(name: str) -> None:
    ranker = SMALL[name](64)
    teach(ranker, [(f"u{n % 50}", f"once {n}", n) for n in range(5_000)])
    model = ranker.recommender
    assert len(model.ids) <= 64
    assert model.ids.evicted == 5_000 - len(model.ids)
    assert len(model.ids.names) == len(model.world.items.seen) == 64
    assert dangling(model) == []
    if name == "recent" or name not in ALONE:  # nothing goes with what came once
        assert all(ranker.candidates(f"u{n}") for n in range(40, 50))


@every_ranker
def test_everything_stays_finite_after_hostile_steps(name: str) -> None:
    ranker = RANKERS[name]()
    rng = np.random.default_rng(5)
    sizes = 10.0 ** rng.uniform(0, 300, 3_000)
    times = np.where(rng.random(3_000) < 0.5, sizes, -sizes)
    times[::7] = rng.uniform(-1e12, 1e12, len(times[::7]))
    weights = rng.choice([1.0, 1e-300, 1e-40, -1.0, 0.0, 1_000.0], 3_000)
    with np.errstate(all="raise"):
        for n, (ts, y) in enumerate(zip(times.tolist(), weights.tolist(), strict=True)):
            ranker.learn_one(f"u{n % 9}", f"i{n % 31}", y, x={"ts": ts})
    model = ranker.recommender
    for array in (*model.world.items, *model.world.head):
        assert np.isfinite(array).all()
    for ts in (0.0, -1e300, 1e300, float(times[-1])):
        for user in ["u1", "u2", "a stranger"]:
            best = ranker.candidates(user, x={"ts": ts})
            assert len(set(best)) == len(best)
            assert np.isfinite(model.room.feature).all()
            scores = [ranker.predict_one(user, f"i{n}", x={"ts": ts}) for n in range(31)]
            assert all(0.0 <= score <= 2.0 for score in scores)
        if name in LEARNING:  # a stranger's chances: nothing is barred
            assert sum(scores) == pytest.approx(1.0, abs=0.01)


@every_ranker
def test_what_is_long_past_does_not_stand_twice_on_a_list(name: str) -> None:
    ranker = RANKERS[name]()
    for item in ["a", "b", "c", "a", "b"]:
        ranker.learn_one("ann", item, x={"ts": 0.0})
    year = 365 * 86_400.0
    ranker.learn_one("bob", "z", x={"ts": 500 * year})
    ranker.learn_one("bob", "y", x={"ts": 500 * year})
    ranker.learn_one("ann", "c", x={"ts": 0.0})
    best = ranker.candidates("ann")
    assert len(set(best)) == len(best)
    scores = [ranker.predict_one("ann", i) for i in best]
    assert all(a >= b * (1 - NEAR) for a, b in pairwise(scores))


@every_ranker
@pytest.mark.parametrize("ts", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_no_number_is_refused_and_learned_from_nothing(name: str, ts: float) -> None:
    ranker = taught(name, 50)
    before = pickle.dumps(ranker)
    with pytest.raises(ValueError, match="finite"):
        ranker.learn_one("ann", "tea", x={"ts": ts})
    with pytest.raises(ValueError, match="finite"):
        ranker.candidates("ann", x={"ts": ts})
    assert pickle.dumps(ranker) == before


@pytest.mark.parametrize("y", [float("nan"), float("inf"), -1_001.0, 1e300])
def test_a_weight_without_measure_is_refused(y: float) -> None:
    ranker = taught("fusion", 50)
    before = pickle.dumps(ranker)
    with pytest.raises(ValueError, match="from -1000 to 1000"):
        ranker.learn_one("ann", "tea", y)
    assert pickle.dumps(ranker) == before


@every_ranker
def test_a_weight_of_nothing_teaches_nothing(name: str) -> None:
    ranker = taught(name, 300)
    before, known = answers(ranker, USERS), pickle.dumps(ranker.recommender.world)
    for user, item, _ in stream(100, 30, 40, seed=9):
        ranker.learn_one(user, item, y=0.0)
    assert pickle.dumps(ranker.recommender.world) == known
    assert answers(ranker, USERS) == before


@every_ranker
def test_what_was_refused_is_never_listed_again(name: str) -> None:
    ranker = taught(name, 300)
    others = answers(ranker, USERS[1:])
    refused = set(ranker.candidates("u0", 50)[::2])
    for item in sorted(refused):
        ranker.learn_one("u0", item, y=-1.0)
    assert answers(ranker, USERS[1:]) == others
    for user, item, ts in stream(300, 30, 40, seed=11):
        ranker.learn_one(user, item, x={"ts": ts})
        assert not refused & set(ranker.candidates("u0", 50))
    for item in sorted(refused):
        ranker.learn_one("u0", item, y=1.0)  # chosen after all: still not offered
    assert not refused & set(ranker.candidates("u0", 50))


@pytest.mark.parametrize("name", ["blend-without-repeats", "fusion-without-repeats"])
def test_where_nothing_may_return_what_was_chosen_is_barred(name: str) -> None:
    ranker, chosen = RANKERS[name](), dict[str, set[str]]()
    for user, item, ts in stream(600, 30, 90):
        ranker.learn_one(user, item, x={"ts": ts})
        chosen.setdefault(user, set()).add(item)
        assert not chosen[user] & set(ranker.candidates(user, 50))


@every_ranker
def test_a_ranker_passes_rivers_own_checks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its data sets need scikit-learn, and for rankers there are none.
    monkeypatch.setattr(checks, "_yield_datasets", lambda *_, **__: iter(()))
    ranker = RANKERS[name]()
    names = []
    for check in checks.yield_checks(ranker):
        check(ranker.clone())
        names.append(check.__name__)
    assert {"check_repr", "check_clone_is_idempotent", "check_reco_routine"} <= set(names)


def test_what_teaches_nothing_takes_no_slot() -> None:
    ranker = Fusion(capacity=16)
    for n in range(16):
        ranker.learn_one(f"u{n}", f"i{n}")
    for n in range(40):
        ranker.learn_one("u0", f"only seen {n}", y=0)
    assert {f"i{n}" for n in range(16)} == set(ranker.candidates("a stranger", 100))


def test_a_repeat_rule_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="learn, always, never"):
        Fusion(repeats="sometimes")


@pytest.mark.parametrize("bound", [{"history": 0}, {"capacity": 0}, {"history": -1}])
def test_a_bound_that_is_none_is_refused(bound: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be ≥ 1"):
        Fusion(**bound)  # type: ignore[arg-type]  # mypy does not know which
