"""Watch a stream of hits and misses for a change that is no chance."""

import pickle
from typing import NamedTuple

from learners.arrays import I32
from learners.step import UNJUDGED

DELTA = 1e-4  # chance of a false alarm per look, by ADWIN's bound
SETTLE = 1000  # ADWIN drops its old window piece by piece: alarms this close are one change
LOOK = 32  # ADWIN looks for a change only so often
TOP = 10  # a position below this is a hit


class Drift(NamedTuple):
    """A fall of the hit rate: which event of the batch showed it, and the rates."""

    event: int
    before: float
    after: float


class HitWatcher:
    """ADWIN over hits and misses of lists ranked at the moment of the event.

    Only falls are told: a rate that rises is a model that learns, most of all in the beginning.

    Source: Bifet and Gavaldà, Learning from Time-Changing Data with Adaptive Windowing, 2007.

    >>> import numpy as np
    >>> watcher = HitWatcher()
    >>> watcher.watch(np.full(2000, 3, np.int32))
    []
    >>> [drift.after < drift.before for drift in watcher.watch(np.full(900, -1, np.int32))]
    [True]
    """

    def __init__(self) -> None:
        from river.drift import ADWIN  # takes seconds to import: only where one is needed

        self._adwin = ADWIN(delta=DELTA)
        self._since = SETTLE
        self._before = 0.0

    def watch(self, positions: I32) -> list[Drift]:
        """Take the positions of a batch's chosen items; return the changes they show."""
        adwin, drifts = self._adwin, []
        for event, position in enumerate(positions.tolist()):
            if position == UNJUDGED:
                continue
            if self._since % LOOK == 0:
                self._before = adwin.estimation
            adwin.update(1.0 if 0 <= position < TOP else 0.0)
            self._since += 1
            if adwin.drift_detected:
                if self._since > SETTLE and adwin.estimation < self._before:
                    drifts.append(Drift(event, self._before, adwin.estimation))
                self._since = 0
        return drifts

    def dump(self) -> bytes:
        """Return the watcher's state; it may only be loaded from a signed snapshot."""
        return pickle.dumps((self._adwin, self._since, self._before))

    def load(self, state: bytes) -> None:
        """Stand where `dump` was called; the bytes must be trusted."""
        # The snapshot's signature was checked before its bytes came here.
        self._adwin, self._since, self._before = pickle.loads(state)  # noqa: S301
