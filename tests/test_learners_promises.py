"""What every ranker promises, one list for all of them."""

import pickle

import numpy as np
import pytest
from river import checks

from learners.ranker import KernelRanker
from tests.learners_kit import RANKERS, SMALL, dangling, state, stream, teach

every_ranker = pytest.mark.parametrize("name", RANKERS)
USERS = [f"u{n}" for n in range(30)]
ITEMS = {f"i{n}" for n in range(40)}


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
        ranker.predict_one(user, "i1")
        ranker.predict_one(user, "a strange item")
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


@pytest.mark.parametrize("name", [n for n in RANKERS if n != "cooccurrence"])
def test_a_stranger_gets_what_is_trending(name: str) -> None:
    ranker = taught(name)
    top, _ = ranker.recommender.trending(5)
    assert [ranker.recommender.ids.names[slot] for slot in top] == ranker.candidates("nobody", 5)


@every_ranker
def test_other_ids_change_nothing_but_the_names(name: str) -> None:
    events = stream(600, 30, 40)
    numbers = np.random.default_rng(3).permutation(1000)
    other = {f"i{n}": f"é{numbers[n]}" for n in range(40)}
    one, two = RANKERS[name](), RANKERS[name]()
    teach(one, events)
    teach(two, [(user[::-1] + "!", other[item], ts) for user, item, ts in events])
    for user in [*USERS, "someone else"]:
        renamed = user[::-1] + "!"
        assert [other[i] for i in one.candidates(user)] == two.candidates(renamed)
        for item in sorted(ITEMS):
            assert one.predict_one(user, item) == two.predict_one(renamed, other[item])


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
        items = {*ITEMS, "z2", "z1"}
        by_score = sorted(items, key=lambda i: (-ranker.predict_one(user, i), i))
        assert ranker.rank(user, items) == by_score


@every_ranker
def test_a_list_is_what_scores_best(name: str) -> None:
    ranker = taught(name)
    for user in USERS:
        best = ranker.candidates(user)
        scores = [ranker.predict_one(user, item) for item in best]
        assert scores == sorted(scores, reverse=True)
        assert len(set(best)) == len(best) <= 20


@pytest.mark.parametrize("name", SMALL)
def test_memory_is_bounded_under_a_flood_of_one_time_ids(name: str) -> None:
    ranker = SMALL[name](64)
    teach(ranker, [(f"u{n % 50}", f"once {n}", n) for n in range(5_000)])
    model = ranker.recommender
    assert len(model.ids) <= 64
    assert model.ids.evicted == 5_000 - len(model.ids)
    assert len(model.ids.names) == len(model.rows.seen) == 64
    assert dangling(model) == []
    assert all(ranker.candidates(f"u{n}") for n in range(40, 50))


@every_ranker
def test_everything_stays_finite_after_hostile_steps(name: str) -> None:
    ranker = RANKERS[name]()
    rng = np.random.default_rng(5)
    sizes = 10.0 ** rng.uniform(0, 300, 3_000)
    times = np.where(rng.random(3_000) < 0.5, sizes, -sizes)
    times[::7] = rng.uniform(-1e12, 1e12, len(times[::7]))
    with np.errstate(all="raise"):
        teach(ranker, [(f"u{n % 9}", f"i{n % 31}", ts) for n, ts in enumerate(times)])
    model = ranker.recommender
    for array in model.rows:
        assert np.isfinite(array).all()
    for user in ["u1", "u2", "a stranger"]:
        best = ranker.candidates(user)
        assert len(set(best)) == len(best)
        assert all(0.0 <= ranker.predict_one(user, f"i{n}") <= 2.0 for n in range(31))


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
    assert [ranker.predict_one("ann", i) for i in best] == sorted(
        (ranker.predict_one("ann", i) for i in best), reverse=True
    )


@every_ranker
@pytest.mark.parametrize("ts", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_no_number_is_refused_and_learned_from_nothing(name: str, ts: float) -> None:
    ranker = taught(name, 50)
    before = pickle.dumps(ranker)
    with pytest.raises(ValueError, match="finite"):
        ranker.learn_one("ann", "tea", x={"ts": ts})
    assert pickle.dumps(ranker) == before


@every_ranker
def test_what_was_not_chosen_is_not_learned(name: str) -> None:
    ranker = taught(name, 50)
    before = pickle.dumps(ranker)
    ranker.learn_one("ann", "tea", y=0.0)
    ranker.learn_one("ann", "tea", y=-1.0)
    assert pickle.dumps(ranker) == before


@pytest.mark.parametrize("name", ["cooccurrence", "blend", "blend-without-repeats"])
def test_even_users_like_even_items(name: str) -> None:
    ranker = RANKERS[name]()
    rng = np.random.default_rng(1)
    users, halves = rng.integers(40, size=4_000).tolist(), rng.integers(15, size=4_000).tolist()
    for n, (user, half) in enumerate(zip(users, halves, strict=True)):
        ranker.learn_one(user, 2 * half + user % 2, x={"ts": float(n)})
    for user in range(40):
        best = ranker.candidates(user, 10)
        if name == "blend-without-repeats":
            best = [item for item in best if ranker.predict_one(user, item) > 1.0]
        assert all(int(item) % 2 == user % 2 for item in best)
        assert best or name == "blend-without-repeats"


def test_popularity_knows_what_is_chosen_most_and_forgets_the_past() -> None:
    ranker = RANKERS["popularity"]()
    for n in range(1_000):
        ranker.learn_one("ann", f"i{min(n % 10, n % 7)}", x={"ts": float(n)})
    counts = [sum(min(n % 10, n % 7) == i for n in range(1_000)) for i in range(7)]
    assert ranker.candidates("bob", 7) == [
        f"i{i}" for i in sorted(range(7), key=lambda i: -counts[i])
    ]
    ranker.learn_one("ann", "new", x={"ts": 30 * 86_400.0})
    assert ranker.candidates("bob", 1) == ["new"]


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
