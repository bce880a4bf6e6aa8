"""Worlds with a known answer: who looks at what tells something must find it."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from learners.blend import Blend
from learners.fusion import Fusion
from learners.popularity import Popularity
from learners.ranker import KernelRanker
from tests.learners_kit import LEARNING, RANKERS, teach

DAY = 86_400.0
PAIRS = ["cooccurrence", "neighbours", "blend", "blend-without-repeats", *LEARNING]
Event = tuple[str, str, float]


def hits(ranker: KernelRanker, events: Iterable[Event], top: int) -> float:
    """Return how often an item stood among the first before it was learned."""
    found = []
    for user, item, ts in events:
        found.append(item in ranker.candidates(user, top, x={"ts": ts}))
        ranker.learn_one(user, item, x={"ts": ts})
    return float(np.mean(found))


def even_and_odd(n: int) -> list[Event]:
    rng = np.random.default_rng(1)
    users, halves = rng.integers(40, size=n).tolist(), rng.integers(15, size=n).tolist()
    return [
        (f"{u}", f"{2 * h + u % 2}", float(k))
        for k, (u, h) in enumerate(zip(users, halves, strict=True))
    ]


@pytest.mark.parametrize("name", [n for n in PAIRS if not n.endswith("without-repeats")])
def test_even_users_like_even_items(name: str) -> None:
    ranker = RANKERS[name]()
    teach(ranker, even_and_odd(4_000))
    for user in range(40):
        best = ranker.candidates(str(user), 10)
        assert len(best) == 10
        assert all(int(item) % 2 == user % 2 for item in best)


@pytest.mark.parametrize("name", [n for n in PAIRS if n != "neighbours"])
def test_even_users_who_are_new_like_even_items_at_their_second_event(name: str) -> None:
    ranker = RANKERS[name]()
    teach(ranker, even_and_odd(4_000))
    for item in ("4", "9"):
        ranker.learn_one(f"likes {item}", item)
        best = ranker.candidates(f"likes {item}", 8)
        assert sum(int(other) % 2 == int(item) % 2 for other in best) >= 7


@pytest.mark.parametrize("name", ["recent", *(n for n in LEARNING if "without" not in n)])
def test_where_only_repeats_are_right_they_are_what_is_listed(name: str) -> None:
    rng = np.random.default_rng(2)
    own = {f"u{n}": [f"i{k}" for k in rng.choice(500, 3, replace=False)] for n in range(40)}
    events = [
        (user := f"u{rng.integers(40)}", own[user][rng.integers(3)], 10.0 * n) for n in range(3_000)
    ]
    ranker = RANKERS[name]()
    teach(ranker, events)
    for user, items in own.items():
        assert set(ranker.candidates(user, 3)) == set(items)


def once_each(n: int, seed: int = 3) -> list[Event]:
    """Return events in which no user chooses an item twice; tastes are tenths of the items."""
    rng = np.random.default_rng(seed)
    events, left = [], dict[str, list[int]]()
    for k in range(n):
        taste, number = int(rng.integers(10)), int(rng.integers(20))
        user = f"u{taste} {number} {k // 1_500}"
        items = left.setdefault(user, rng.permutation(30).tolist())
        if items:
            events.append((user, f"i{30 * taste + items.pop()}", 10.0 * k))
    return events


@pytest.mark.parametrize(
    "make",
    [lambda: Blend(repeats="learn"), Popularity, Fusion, lambda: Fusion(head="mixture")],
    ids=["blend", "popularity", "fusion", "mixture"],
)
def test_where_nothing_repeats_learn_finds_it_out(make: Callable[[], KernelRanker]) -> None:
    ranker, seen = make(), dict[str, set[str]]()
    events = once_each(4_000)
    teach(ranker, events)
    for user, item, _ in events:
        seen.setdefault(user, set()).add(item)
    late = {user for user, _, _ in events[-400:]}
    again = [item in seen[user] for user in late for item in ranker.candidates(user, 10)]
    assert np.mean(again) <= 0.01


def test_what_learn_finds_out_is_as_good_as_what_is_told() -> None:
    events = once_each(5_000)
    found = {}
    for repeats in ("learn", "never"):
        ranker = Fusion(repeats=repeats)
        teach(ranker, events[:2_500])
        found[repeats] = hits(ranker, events[2_500:], 10)
    assert found["learn"] >= 0.97 * found["never"]
    assert found["never"] > 0.3, "ten of the thirty items of the taste would be a third"


@pytest.mark.parametrize(
    ("name", "period"),
    [("fusion", 60.0), ("fusion-without-repeats", 60.0), ("fusion-mixture", 900.0)],
)
def test_what_was_chosen_a_minute_ago_is_right(name: str, period: float) -> None:
    # Everybody chooses the same item, another one each period; two fifths of the events are
    # noise. A mixture of popularities is no faster than its shortest half-life, five minutes.
    rng = np.random.default_rng(4)
    events = [
        (
            f"u{n}",
            f"i{2 * n // period}" if rng.random() < 0.6 else f"old {rng.integers(20)}",
            2.0 * n,
        )
        for n in range(4_500)
    ]
    ranker, slow = RANKERS[name](), Popularity(half_life_s=DAY)
    teach(ranker, events[:3_000])
    teach(slow, events[:3_000])
    assert hits(ranker, events[3_000:], 3) > 0.5
    assert hits(slow, events[3_000:], 3) < 0.3


@pytest.mark.parametrize("name", ["neighbours", "cooccurrence", *LEARNING])
def test_users_of_the_same_taste_agree(name: str) -> None:
    ranker = RANKERS[name]()
    events = once_each(4_500, seed=5)
    teach(ranker, events)
    for user in {user for user, _, _ in events[-300:]}:
        taste = int(user[1:].split()[0])
        best = [int(item[1:]) // 30 for item in ranker.candidates(user, 5)]
        assert not best or np.mean(np.array(best) == taste) >= 0.6


def popular_then_in_turn(n: int, seed: int) -> tuple[list[Event], list[Event]]:
    """Return a stretch in which only popularity tells something, and one of fixed sequels."""
    rng = np.random.default_rng(seed)
    follows = rng.permutation(100)
    first = [
        (f"u{rng.integers(50)}", f"i{int(100 * rng.random() ** 6)}", 9.0 * k) for k in range(n)
    ]
    at, second = rng.integers(100, size=50), []
    for k in range(n):
        user = int(rng.integers(50))
        at[user] = follows[at[user]]
        second.append((f"u{user}", f"i{at[user]}", 9.0 * (n + k)))
    return first, second


def test_a_generator_that_was_useless_for_long_comes_back() -> None:
    first, second = popular_then_in_turn(6_000, seed=6)
    old, new = Fusion(), Fusion()
    teach(old, first)
    teach(old, second[:3_600])
    teach(new, second[:3_000])  # 1.2 times the events of one that starts fresh
    assert hits(old, second[3_600:4_600], 1) >= 0.95 * hits(new, second[3_000:4_000], 1)


def test_a_share_of_a_mixture_that_was_next_to_nothing_for_long_comes_back() -> None:
    first, second = popular_then_in_turn(6_000, seed=6)
    ranker = Fusion(head="mixture")
    teach(ranker, first)
    assert ranker.weights()["all"]["transitions"] < 0.1
    teach(ranker, second)
    assert ranker.weights()["all"]["transitions"] > 0.9


def test_popularity_knows_what_is_chosen_most_and_forgets_the_past() -> None:
    ranker = Popularity()
    for n in range(1_000):
        ranker.learn_one(f"u{n}", f"i{min(n % 10, n % 7)}", x={"ts": float(n)})
    counts = [sum(min(n % 10, n % 7) == i for n in range(1_000)) for i in range(7)]
    assert ranker.candidates("bob", 7) == [
        f"i{i}" for i in sorted(range(7), key=lambda i: -counts[i])
    ]
    ranker.learn_one("ann", "new", x={"ts": 30 * DAY})
    assert ranker.candidates("bob", 1) == ["new"]
