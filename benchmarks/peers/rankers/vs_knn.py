"""VS-kNN: what users chose whose last items are like this user's last items."""

import numpy as np
from numba import njit

from benchmarks.peers.rankers.base import F64, I32, REMEMBERED, Histories

NEIGHBOURS, SAMPLE, KEPT = 200, 500, 50


class VSKNN:
    """Score an item by the users who chose it and share recent items with this one.

    A shared item counts 1 / its place from the end of this user's history; of the last 500 users
    of each such item the 200 likest vote for all their last 50 items with likeness * (1 / place of
    the newest shared item) * log(users / users of the voted item). The current item may return.
    Source: Ludewig, Jannach, "Evaluation of session-based recommendation algorithms", 2018.

    >>> peer, out = VSKNN(users=4, items=3), np.zeros(3)
    >>> for user, item in [(0, 0), (0, 1), (1, 2), (2, 0)]:
    ...     peer.learn(user, item, 0.0)
    >>> peer.score(2, 0.0, out)
    >>> out.round(3).tolist()  # user 0 votes: log(1 + 3/2), log(1 + 3/1)
    [0.916, 1.386, 0.0]
    """

    def __init__(self, users: int, items: int) -> None:
        self._users_of, self._times = np.full((items, SAMPLE), -1, np.int32), np.zeros(items, int)
        self._items_of, self._length = np.full((users, KEPT), -1, np.int32), np.zeros(users, int)
        self._seen, self._likeness = np.zeros(items), np.zeros(users)
        self._near = np.zeros(users)
        self._histories, self._known = Histories(REMEMBERED), 0

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - time plays no part
        """Let the likest users vote."""
        history = np.array(self._histories.of(user), np.int32)
        if not len(history):
            return
        found = _alike(history, user, self._users_of, self._likeness, self._near)
        order = np.argsort(-self._likeness[found], kind="stable")[:NEIGHBOURS]
        rarity = np.log1p(self._known / np.maximum(self._seen, 1.0))
        weight = self._likeness[found] * self._near[found]
        _vote(found[order], weight[order], self._items_of, rarity, out)
        self._likeness[found] = self._near[found] = 0.0

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - time plays no part
        """Note the user with the item and the item with the user; the oldest of many go."""
        self._known += self._length[user] == 0
        if item not in self._items_of[user]:
            self._seen[item] += 1.0
            self._users_of[item, self._times[item] % SAMPLE] = user
            self._times[item] += 1
            self._items_of[user, self._length[user] % KEPT] = item
            self._length[user] += 1
        self._histories.add(user, item)


@njit(cache=True)
def _alike(history: I32, user: int, users_of: I32, likeness: F64, near: F64) -> I32:
    """Sum likeness over the shared items, newest first; return the users who share any."""
    found = np.empty(len(history) * users_of.shape[1], np.int32)
    size = 0
    for place in range(len(history)):
        for other in users_of[history[place]]:
            if other < 0:
                break
            if other == user:
                continue
            if likeness[other] == 0.0:
                found[size] = other
                size += 1
                near[other] = 1.0 / (place + 1)
            likeness[other] += 1.0 / (place + 1)
    return found[:size]


@njit(cache=True)
def _vote(users: I32, weight: F64, items_of: I32, rarity: F64, out: F64) -> None:
    """Add each neighbour's weight to its items, times their rarity."""
    for k in range(len(users)):
        for item in items_of[users[k]]:
            if item < 0:
                break
            out[item] += weight[k] * rarity[item]
