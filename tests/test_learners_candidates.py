"""Who is a candidate, where there are more than there is room for."""

import numpy as np

from learners.candidates import COLUMN_BITS, MOST
from learners.fusion import Fusion


def test_what_is_popular_is_a_candidate_however_many_neighbours_the_last_items_have() -> None:
    ranker, rng = Fusion(), np.random.default_rng(2)
    for n, item in enumerate(rng.integers(3_000, size=12_000).tolist()):
        ranker.learn_one(f"u{n % 30}", f"i{item}", x={"ts": float(n)})
    for n in range(300):  # strangers who come once: it goes with nothing
        ranker.learn_one(f"once {n}", "news", x={"ts": 12_000.0 + n})
    room, news = ranker.recommender.room, ranker.recommender.ids.find("news")
    full = 0
    for n in range(30):
        ranker.candidates(f"u{n}")
        taken = room.place >> COLUMN_BITS == room.stamp[0]
        full += int(taken.sum()) == MOST
        assert taken[news]
    assert full > 20, "the world must be one in which there is no room for all"
