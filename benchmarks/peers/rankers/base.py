"""What every plain reference can do, and how its scores become a list."""

from collections import defaultdict, deque
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
REMEMBERED = 20  # last items of a user


class Peer(Protocol):
    """Scores all items for a user, then learns what the user chose; both are numbers from 0."""

    def score(self, user: int, ts: float, out: F64) -> None:
        """Write a score above 0 for each item that something speaks for; `out` holds zeros."""

    def learn(self, user: int, item: int, ts: float) -> None:
        """Learn one event; times never go back."""


class Histories:
    """The last items of each user, newest first."""

    def __init__(self, length: int = REMEMBERED) -> None:
        self._items: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=length))

    def of(self, user: int) -> list[int]:
        """Return a user's last items, newest first, each once."""
        return list(dict.fromkeys(self._items[user])) if user in self._items else []

    def add(self, user: int, item: int) -> None:
        """Put an item in front."""
        self._items[user].appendleft(item)


def top(scores: F64, banned: Any, depth: int) -> I32:
    """Return the best items whose score is above 0, of equals the one that was seen first.

    >>> top(np.array([0.5, 0.0, 2.0, 0.5]), [2], 3).tolist()
    [0, 3]
    """
    if len(banned):
        scores[banned] = 0.0
    found = np.empty(depth, np.int32)
    return found[: _top(scores, found)]


def behind(scores: F64, others: F64) -> F64:
    """Return the scores, and below the least of them, where there is none, the others in order.

    >>> behind(np.array([0.0, 4.0, 2.0, 0.0]), np.array([1.0, 5.0, 0.0, 3.0])).round(2).tolist()
    [0.2, 4.0, 2.0, 0.6]
    """
    some = scores > 0
    least = scores[some].min() if some.any() else 1.0
    return np.where(some, scores, others * (least / 2.0 / max(others.max(), 1e-300)))


@njit(cache=True)
def _top(scores: F64, found: I32) -> int:
    """Keep the best in a sorted row; return how many there are."""
    size, depth = 0, len(found)
    for item in range(len(scores)):
        score = scores[item]
        if score <= 0.0 or (size == depth and score <= scores[found[size - 1]]):
            continue
        place = size if size < depth else depth - 1
        while place > 0 and scores[found[place - 1]] < score:
            found[place] = found[place - 1]
            place -= 1
        found[place] = item
        size = min(size + 1, depth)
    return size
