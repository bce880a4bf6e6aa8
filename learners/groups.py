"""Groups: how often the lists hit, and what they show, for each value of an attribute.

Counts are kept in pieces of some hundred events, the last WINDOW together: a batch may be one
event, and one piece for each would take a thousand times the memory.

Source of the interval: Wilson, Probable Inference, 1927; of popularity, listed over chosen:
Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, 2019.
"""

from collections import deque

import numpy as np

from contracts.groups import MOST, WINDOW
from learners.arrays import F64, I32, Flags

VALUES = MOST + 2
PIECES = 20
Z = 1.96  # 95 %
# Columns of counts, (values, COLUMNS): events and hits by their group; places of lists by theirs;
# how popular what stood there, and what was chosen, are together.
EVENTS, HITS, PLACES, LISTED, CHOSEN = range(5)
COLUMNS = 5


class Window:
    """Counts of about the last `WINDOW` events, an array of any shape.

    >>> window = Window(2)
    >>> window.add(np.array([3.0, 1.0]), events=3)
    >>> window.counts().tolist()
    [3.0, 1.0]
    """

    def __init__(self, *shape: int) -> None:
        self._pieces: deque[F64] = deque(maxlen=PIECES)
        self._shape = shape
        self._left = 0

    def add(self, counts: F64, events: int) -> None:
        """Add the counts of so many events."""
        if self._left <= 0:
            self._pieces.append(np.zeros(self._shape))
            self._left = WINDOW // PIECES
        self._pieces[-1] += counts
        self._left -= events

    def counts(self) -> F64:
        """Return them."""
        found: F64 = sum(self._pieces, np.zeros(self._shape))
        return found


def tally_events(value: I32, hit: Flags, popularity: F64) -> F64:
    """Count events, each with its group's value and how popular the chosen item was."""
    found = np.zeros((VALUES, COLUMNS))
    found[:, EVENTS] = np.bincount(value, minlength=VALUES)
    found[:, HITS] = np.bincount(value, hit, VALUES)
    found[:, CHOSEN] = np.bincount(value, popularity, VALUES)
    return found


def tally_places(value: I32, popularity: F64) -> F64:
    """Count places of lists, each with its group's value and how popular its item is."""
    found = np.zeros((VALUES, COLUMNS))
    found[:, PLACES] = np.bincount(value, minlength=VALUES)
    found[:, LISTED] = np.bincount(value, popularity, VALUES)
    return found


def interval(part: F64, whole: F64) -> tuple[F64, F64]:
    """Return Wilson's bounds of shares; from 0 to 1 where nothing was counted.

    >>> low, high = interval(np.array([5.0]), np.array([10.0]))
    >>> print(f"{low[0]:.3f} {high[0]:.3f}")
    0.237 0.763
    """
    n = np.maximum(whole, 1e-9)
    share, squared = part / n, Z * Z / n
    middle = (share + squared / 2) / (1 + squared)
    half = np.sqrt(squared * (share * (1 - share) + squared / 4)) / (1 + squared)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def short_of_hits(counts: F64, least: float) -> Flags:
    """Return, (values,), which are surely hit less than `least` of what all are."""
    events, hits = counts[:, EVENTS], counts[:, HITS]
    _, high = interval(hits, events)
    short: Flags = high < least * hits.sum() / max(events.sum(), 1.0)
    return short


def short_of_places(counts: F64, least: float) -> Flags:
    """Return, (values,), which surely have less than `least` of the places that choices give."""
    events, places = counts[:, EVENTS], counts[:, PLACES]
    low, _ = interval(events, np.full(len(events), events.sum()))
    short: Flags = (places < least * low * places.sum()) & (events > 0)
    return short
