"""Tally: where the chosen items stood, by who was asked, and which items were shown."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LENGTH = 20  # of the lists that are judged
MISS = LENGTH
MEASURES = ("hr_at_10", "hr_at_20", "mrr_at_20", "ndcg_at_10")
_PLACE = np.arange(MISS + 1)
# What each place is worth, one row per measure; the last column is a miss.
WORTH = np.array(
    [
        _PLACE < 10,
        _PLACE < MISS,
        (_PLACE < MISS) / (_PLACE + 1),
        (_PLACE < 10) / np.log2(_PLACE + 2),
    ]
)
# Events of users with so many events before: lowest and highest number.
BUCKETS = {"0": (0, 0), "1": (1, 1), "2-4": (2, 4), "5-19": (5, 19), "20+": (20, 2**31)}
WHO = {"all": (0, 2**31), "known": (1, 2**31), **BUCKETS}
Figures = dict[str, float]


class Tally:
    """Judges lists, one per event.

    >>> tally = Tally()
    >>> tally.add("tea", ["jam", "tea"], before=0)
    >>> tally.add("oat", ["jam", "tea"], before=3)
    >>> tally.figures("all")["hr_at_10"], tally.figures("known")["hr_at_10"]
    (0.5, 0.0)
    >>> tally.coverage(4)
    0.5
    """

    def __init__(self) -> None:
        self.places: list[int] = []
        self._before: list[int] = []
        self._shown: set[Hashable] = set()

    def add(self, item: Hashable, shown: Sequence[Hashable], before: int) -> None:
        """Judge a list of at most 20 by the item that was chosen next."""
        self.places.append(shown.index(item) if item in shown else MISS)
        self._before.append(before)
        self._shown.update(shown)

    def figures(self, who: str = "all") -> Figures:
        """Return the measures, and the number of events as `n`; NaN where there is none."""
        low, high = WHO[who]
        before, places = np.array(self._before), np.array(self.places, np.int64)
        asked = places[(before >= low) & (before <= high)]
        return _figures(asked)

    def coverage(self, items: int) -> float:
        """Return the share of so many items that stood in at least one list."""
        return len(self._shown) / max(items, 1)


def _figures(places: NDArray[np.int64]) -> Figures:
    n = len(places)
    worth = WORTH[:, places].sum(1) / n if n else np.full(len(MEASURES), np.nan)
    return {"n": float(n), **dict(zip(MEASURES, worth.tolist(), strict=True))}


def row(first: Mapping[str, str], found: Mapping[str, float]) -> dict[str, str]:
    """Return a line of a table: what it is about, then n and the measures."""
    measures = {name: f"{found[name]:.4f}" for name in MEASURES}
    return {**first, "n": f"{int(found['n']):,}", **measures}
