"""Item-kNN: items like the user's last ones, by the cosine of who chose them."""

import numpy as np

from benchmarks.peers.rankers.base import F64, Histories


class ItemKNN:
    """Score an item by the sum of its cosines with the user's last 20 items.

    The cosine is pairs / sqrt(choices of one * choices of the other), kept exactly, all items.
    Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms", 2001.

    >>> peer, out = ItemKNN(3), np.zeros(3)
    >>> for user, item in [(0, 0), (0, 1), (1, 0), (1, 2), (2, 2), (3, 0)]:
    ...     peer.learn(user, item, 0.0)
    >>> peer.score(3, 0.0, out)
    >>> out.round(3).tolist()  # 1 / sqrt(3 * 1), 1 / sqrt(3 * 2)
    [0.0, 0.577, 0.408]
    """

    def __init__(self, items: int) -> None:
        self._pairs = np.zeros((items, items), np.float32)
        self._choices = np.zeros(items)
        self._histories = Histories()

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - time plays no part
        """Write the sums of cosines."""
        history = self._histories.of(user)
        if history:
            sums = (1.0 / np.sqrt(self._choices[history])) @ self._pairs[history]
            np.divide(sums, np.sqrt(self._choices), out=out, where=self._choices > 0)

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - time plays no part
        """Count the item, and its pairs with the user's other items."""
        others = [other for other in self._histories.of(user) if other != item]
        self._pairs[others, item] += 1.0
        self._pairs[item, others] += 1.0
        self._choices[item] += 1.0
        self._histories.add(user, item)
