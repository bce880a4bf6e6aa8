"""Own: the user's own last items, newest first."""

from benchmarks.peers.rankers.base import F64, Histories


class OwnLastItems:
    """Score the user's last 20 items by 1 / place.

    >>> import numpy as np
    >>> peer, out = OwnLastItems(), np.zeros(3)
    >>> for item in [0, 2, 0]:
    ...     peer.learn(7, item, 0.0)
    >>> peer.score(7, 0.0, out)
    >>> out.tolist()
    [1.0, 0.0, 0.5]
    """

    def __init__(self) -> None:
        self._histories = Histories()

    def score(self, user: int, ts: float, out: F64) -> None:  # noqa: ARG002 - time plays no part
        """Write 1 / place."""
        for place, item in enumerate(self._histories.of(user), 1):
            out[item] = 1.0 / place

    def learn(self, user: int, item: int, ts: float) -> None:  # noqa: ARG002 - time plays no part
        """Put the item in front."""
        self._histories.add(user, item)
