"""Who is a candidate, where there are more than there is room for."""

import numpy as np

from learners.fusion import Fusion
from learners.room import COLUMN_BITS, MOST


def test_what_is_popular_is_a_candidate_however_many_neighbours_the_last_items_have() -> None:
    ranker, rng = Fusion(), np.random.default_rng(2)
    for n, item in enumerate(rng.integers(3_000, size=12_000).tolist()):
        ranker.learn_one(f"u{n % 30}", f"i{item}", x={"ts": float(n)})
    for n in range(300):  # strangers who come once: it goes with nothing
        ranker.learn_one(f"once {n}", "news", x={"ts": 12_000.0 + n})
    model = ranker.recommender
    room, news = model.room, model.ids.find("news")
    full = 0
    for n in range(30):
        model.peek(ranker.users, ranker.users.ids.find(f"u{n}"), 12_300.0)
        taken = room.place >> COLUMN_BITS == room.stamp[0]
        full += int(taken.sum()) == MOST
        assert taken[news]
    assert full > 20, "the world must be one in which there is no room for all"


def test_what_was_asked_before_changes_no_list() -> None:
    ranker, rng = Fusion(), np.random.default_rng(2)
    for n, item in enumerate(rng.integers(3_000, size=12_000).tolist()):
        ranker.learn_one(f"u{n % 30}", f"i{item}", x={"ts": float(n)})
    lists = [ranker.candidates(f"u{n}", 600) for n in range(30)]
    assert max(map(len, lists)) == MOST
    ranker.rank("u1", {f"i{n}" for n in range(2_000)})
    assert [ranker.candidates(f"u{n}", 600) for n in range(30)] == lists
