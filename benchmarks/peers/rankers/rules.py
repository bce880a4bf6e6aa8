"""Rules: what goes with the last item (association), what follows it (sequential)."""

import numpy as np

from benchmarks.peers.rankers.base import F64, Histories

STEPS = 10  # how far a sequential rule looks back


class AssociationRules:
    """Score an item by how often the same user chose it and the user's last item.

    Source: Kamehkhosh, Jannach, Ludewig, "A comparison of frequent pattern techniques and a deep
    learning method for session-based recommendation", 2017; pairs of a user's last 20 items.

    >>> peer, out = AssociationRules(3), np.zeros(3)
    >>> for user, item in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 2), (3, 0)]:
    ...     peer.learn(user, item, 0.0)
    >>> peer.score(3, 0.0, out)
    >>> out.tolist()
    [0.0, 2.0, 1.0]
    """

    def __init__(self, items: int) -> None:
        self._pairs = np.zeros((items, items), np.float32)
        self._histories = Histories()

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - time plays no part
        """Write the rules of the user's last item."""
        for item in self._histories.of(user)[:1]:
            out[:] = self._pairs[item]

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - time plays no part
        """Count the item with each of the user's other items, both ways."""
        others = [other for other in self._histories.of(user) if other != item]
        self._pairs[others, item] += 1.0
        self._pairs[item, others] += 1.0
        self._histories.add(user, item)


class SequentialRules:
    """Score an item by how often it followed the user's last item, 1 / steps between them.

    >>> peer, out = SequentialRules(3), np.zeros(3)
    >>> for item in [0, 1, 2, 0]:
    ...     peer.learn(7, item, 0.0)
    >>> peer.score(7, 0.0, out)
    >>> out.tolist()  # after 0 came 1 at once and 2 a step later
    [0.0, 1.0, 0.5]
    """

    def __init__(self, items: int) -> None:
        self._follows = np.zeros((items, items), np.float32)
        self._histories = Histories()

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - time plays no part
        """Write the rules of the user's last item."""
        for item in self._histories.of(user)[:1]:
            out[:] = self._follows[item]

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - time plays no part
        """Let the item follow each of the items before it."""
        for steps, other in enumerate(self._histories.of(user)[:STEPS], 1):
            if other != item:
                self._follows[other, item] += 1.0 / steps
        self._histories.add(user, item)
