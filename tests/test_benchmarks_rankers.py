"""The plain references that the lists are measured against do what their papers say."""

import doctest
import importlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers.rankers.base import Peer, top
from benchmarks.peers.rankers.item_knn import ItemKNN
from benchmarks.peers.rankers.own import OwnLastItems
from benchmarks.peers.rankers.popularity import Popularity
from benchmarks.peers.rankers.rules import AssociationRules, SequentialRules
from benchmarks.peers.rankers.vs_knn import VSKNN

USERS, ITEMS = 6, 7
PEERS: dict[str, Callable[[], Peer]] = {
    "popularity": lambda: Popularity(ITEMS),
    "recent": lambda: Popularity(ITEMS, 10.0),
    "association": lambda: AssociationRules(ITEMS),
    "sequential": lambda: SequentialRules(ITEMS),
    "item-knn": lambda: ItemKNN(ITEMS),
    "vs-knn": lambda: VSKNN(USERS, ITEMS),
    "own": OwnLastItems,
}
EVENTS = st.lists(st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1)), max_size=19)
DOCUMENTED = [
    *(f"benchmarks.peers.rankers.{name}" for name in
      ("base", "fusion", "item_knn", "own", "popularity", "rules", "vs_knn")),
    *(f"benchmarks.{name}" for name in ("contest", "drift", "figures", "memory", "tally")),
]  # fmt: skip


def scores(peer: Peer, user: int, ts: float = 100.0) -> list[float]:
    out = np.zeros(ITEMS)
    peer.score(user, ts, out)
    return out.tolist()


def taught(name: str, events: list[tuple[int, int]]) -> Peer:
    peer = PEERS[name]()
    for ts, (user, item) in enumerate(events):
        peer.learn(user, item, float(ts))
    return peer


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_example_in_a_docstring_is_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("name", PEERS)
@given(events=EVENTS)
@settings(max_examples=20, deadline=None)
def test_asking_changes_nothing_and_only_seen_items_score(
    name: str, events: list[tuple[int, int]]
) -> None:
    peer = taught(name, events)
    first = [scores(peer, user) for user in range(USERS)]
    assert [scores(peer, user) for user in range(USERS)] == first
    assert np.isfinite(first).all()
    unseen = set(range(ITEMS)) - {item for _, item in events}
    assert all(row[item] == 0.0 for row in first for item in unseen)


def lasts(events: list[tuple[int, int]], user: int) -> list[int]:
    """Return a user's items, newest first, each once."""
    return list(dict.fromkeys(item for who, item in reversed(events) if who == user))


def pairs(events: list[tuple[int, int]]) -> Counter[tuple[int, int]]:
    """Count an item with each item that its user had chosen before, both ways."""
    count: Counter[tuple[int, int]] = Counter()
    for k, (user, item) in enumerate(events):
        for other in set(lasts(events[:k], user)) - {item}:
            count.update([(item, other), (other, item)])
    return count


@given(events=EVENTS)
@settings(max_examples=50, deadline=None)
def test_association_rules_count_pairs(events: list[tuple[int, int]]) -> None:
    count, peer = pairs(events), taught("association", events)
    for user in range(USERS):
        last = lasts(events, user)[:1]
        assert scores(peer, user) == [
            float(sum(count[item, other] for item in last)) for other in range(ITEMS)
        ]


@given(events=EVENTS)
@settings(max_examples=50, deadline=None)
def test_item_knn_sums_cosines(events: list[tuple[int, int]]) -> None:
    count, chosen = pairs(events), Counter(item for _, item in events)
    peer = taught("item-knn", events)
    for user in range(USERS):
        expected = [
            sum(count[i, j] / math.sqrt(chosen[i] * chosen[j]) for i in lasts(events, user))
            if chosen[j]
            else 0.0
            for j in range(ITEMS)
        ]
        assert scores(peer, user) == pytest.approx(expected, rel=1e-5)


@given(events=EVENTS)
@settings(max_examples=50, deadline=None)
def test_vs_knn_lets_all_users_who_share_an_item_vote(events: list[tuple[int, int]]) -> None:
    items: dict[int, set[int]] = defaultdict(set)
    for user, item in events:
        items[user].add(item)
    seen, peer = Counter(i for chosen in items.values() for i in chosen), taught("vs-knn", events)
    for user in range(USERS):
        expected, history = [0.0] * ITEMS, lasts(events, user)
        for other in set(items) - {user}:
            shared = [1 / place for place, i in enumerate(history, 1) if i in items[other]]
            for item in items[other] if shared else ():
                expected[item] += sum(shared) * shared[0] * math.log1p(len(items) / seen[item])
        assert scores(peer, user) == pytest.approx(expected)


def test_a_long_life_of_popularity_stays_finite() -> None:
    peer = Popularity(ITEMS, half_life_s=1.0)
    for ts in range(0, 100_000, 97):
        peer.learn(0, ts % ITEMS, float(ts))
    assert max(scores(peer, 0)) > 0
    assert np.isfinite(scores(peer, 0)).all()


def test_of_equals_the_first_stands_in_front_and_what_is_banned_does_not_stand_at_all() -> None:
    assert top(np.array([1.0, 3.0, 1.0, 3.0, 0.0]), [], 3).tolist() == [1, 3, 0]
    assert top(np.array([1.0, 3.0, 1.0, 3.0, 0.0]), [1], 9).tolist() == [3, 0, 2]
