"""Popularity: how often an item was chosen, over all time or with a half-life."""

import numpy as np

from benchmarks.peers.rankers.base import F64

REBASE = 900.0  # half-lives after which weights are scaled down; 2 ** 1024 would overflow


class Popularity:
    """Score an item by its choices, each of which counts half after `half_life_s`.

    >>> peer, out = Popularity(2, half_life_s=10.0), np.zeros(2)
    >>> for item, ts in [(0, 0.0), (0, 0.0), (1, 20.0)]:
    ...     peer.learn(7, item, ts)
    >>> peer.score(7, 20.0, out)
    >>> out.tolist()  # the two choices of long ago count a quarter each
    [2.0, 4.0]
    """

    def __init__(self, items: int, half_life_s: float = float("inf")) -> None:
        self._weight = np.zeros(items)
        self._half_life_s, self._origin = half_life_s, float("nan")

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - the same for all
        """Write the weights; a common factor of all is left in."""
        out[:] = self._weight

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - whoever it was
        """Add a choice that is worth more than all before it."""
        if np.isnan(self._origin):
            self._origin = ts
        lives = (ts - self._origin) / self._half_life_s
        if lives > REBASE:
            self._weight *= 2.0**-lives
            self._origin, lives = ts, 0.0
        self._weight[item] += 2.0**lives
