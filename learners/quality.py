"""Quality: how high the chosen items stood, before they were learned (prequential)."""

from collections import deque
from typing import Any

import numpy as np

from learners.arrays import F64, I32, JUDGED, Flags
from learners.step import UNJUDGED, Verdicts

LISTS = ("stored", "fresh", "popular")
WHO = ("all", "known")
MEASURES = ("n", "hr_at_10", "hr_at_20", "mrr_at_20", "ndcg_at_10")

# What a hit at each position is worth, one row per measure; the last column is a miss.
_PLACES = np.arange(JUDGED + 1)
_HIT = _PLACES < JUDGED
WORTH = np.array(
    [
        np.ones(JUDGED + 1),
        _PLACES < 10,
        _HIT,
        _HIT / (_PLACES + 1),
        (_PLACES < 10) / np.log2(_PLACES + 2),
    ]
)


class Quality:
    """Sums of each measure, over everything and over the last `window` events.

    The sums form an array (list, who, measure) in the order of LISTS, WHO and MEASURES; sums of
    several partitions can be added.

    >>> quality = Quality()
    >>> position = np.array([0, 4, -1], np.int32)
    >>> quality.add(Verdicts(position, position, position, np.array([False, True, True])))
    >>> report(quality.total)["fresh"]["known"]["mrr_at_20"]
    0.1
    """

    def __init__(self, window: int = 10_000) -> None:
        self.total = zeros()
        self.recent = zeros()
        self._window = window
        self._batches: deque[F64] = deque()

    def add(self, verdicts: Verdicts) -> None:
        """Count the verdicts of a batch."""
        columns = (verdicts.stored, verdicts.fresh, verdicts.popular)
        sums = np.stack([_sums(column, verdicts.known) for column in columns])
        self.total += sums
        self.recent += sums
        self._batches.append(sums)
        while self.recent[0, 0, 0] - self._batches[0][0, 0, 0] >= self._window:
            self.recent -= self._batches.popleft()


def zeros() -> F64:
    """Return sums in which nothing was judged."""
    return np.zeros((len(LISTS), len(WHO), len(MEASURES)))


def _sums(positions: I32, known: Flags) -> F64:
    judged = positions != UNJUDGED
    places = np.where(positions < 0, JUDGED, positions)
    both = (places[judged], places[judged & known])
    return np.stack([WORTH @ np.bincount(p, minlength=JUDGED + 1) for p in both])


def report(sums: F64) -> dict[str, dict[str, dict[str, Any]]]:
    """Return `{list: {who: {"n": count, measure: mean}}}`; the mean of nothing is 0."""
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for list_, by_who in zip(LISTS, sums, strict=True):
        result[list_] = {}
        for who, row in zip(WHO, by_who, strict=True):
            n = int(row[0])
            means = dict(zip(MEASURES[1:], (row[1:] / max(n, 1)).tolist(), strict=True))
            result[list_][who] = {"n": n, **means}
    return result
