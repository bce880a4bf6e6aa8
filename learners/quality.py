"""Quality: how high the chosen items stood, before they were learned (prequential)."""

from collections import deque
from typing import Any

import numpy as np

from learners.arrays import I32, I64, JUDGED, Flags
from learners.kernel import kernel
from learners.step import UNJUDGED, Verdicts

LISTS = ("stored", "fresh", "popular")
WHO = ("all", "known", "new_items", "repeats")
MEASURES = ("hr_at_10", "hr_at_20", "mrr_at_20", "ndcg_at_10")

# What a hit at each position is worth, one row per measure; the last column is a miss.
_PLACES = np.arange(JUDGED + 1)
_HIT = _PLACES < JUDGED
WORTH = np.array(
    [
        _PLACES < 10,
        _HIT,
        _HIT / (_PLACES + 1),
        (_PLACES < 10) / np.log2(_PLACES + 2),
    ]
)


class Quality:
    """How often each position was hit, over everything and over the last `window` events.

    Counts form an integer array (list, who, position) in the order of LISTS and WHO, the last
    position being a miss; counts of several partitions can be added, and no sum depends on how
    events were cut into batches.

    >>> quality = Quality()
    >>> position = np.array([0, 4, -1], np.int32)
    >>> known, new = np.array([False, True, True]), np.array([True, True, True])
    >>> turn = np.zeros((3, 2), np.float32)
    >>> quality.add(Verdicts(position, position, position, known, new, turn))
    >>> report(quality.total)["fresh"]["known"]["mrr_at_20"]
    0.1
    """

    def __init__(self, window: int = 10_000) -> None:
        self.total = zeros()
        self.recent = zeros()
        self._window = window
        self._batches: deque[I64] = deque()
        self._held = 0

    def add(self, verdicts: Verdicts) -> None:
        """Count the verdicts of a batch."""
        counts = zeros()
        for positions, by_who in zip(verdicts[: len(LISTS)], counts, strict=True):
            _tally(positions, verdicts.known, verdicts.new, by_who)
        self.total += counts
        self.recent += counts
        self._batches.append(counts)
        self._held += len(verdicts.known)
        while self._held > self._window and len(self._batches) > 1:
            oldest = self._batches.popleft()
            self.recent -= oldest
            self._held -= int(oldest[0, 0].sum())


def zeros() -> I64:
    """Return counts in which nothing was judged."""
    return np.zeros((len(LISTS), len(WHO), JUDGED + 1), np.int64)


@kernel
def _tally(positions: I32, known: Flags, new: Flags, by_who: I64) -> None:
    """Add one list's positions to its counts, (who, position)."""
    for k in range(len(positions)):
        if positions[k] != UNJUDGED:
            place = positions[k] if positions[k] >= 0 else JUDGED
            by_who[0, place] += 1
            if known[k]:
                by_who[1, place] += 1
            by_who[2 if new[k] else 3, place] += 1


def report(counts: I64) -> dict[str, dict[str, dict[str, Any]]]:
    """Return `{list: {who: {"n": count, measure: mean}}}`; the mean of nothing is 0."""
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for list_, by_who in zip(LISTS, counts, strict=True):
        result[list_] = {}
        for who, row in zip(WHO, by_who, strict=True):
            n = int(row.sum())
            means = dict(zip(MEASURES, (WORTH @ row / max(n, 1)).tolist(), strict=True))
            result[list_][who] = {"n": n, **means}
    return result
