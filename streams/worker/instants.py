"""When a worker's saves are taken, and which of them are kept to go back to.

Time is cut into stretches of `every_s`, at the same moments for all workers. The first save in a
stretch is *whole*: it also covers shards that have not changed, so that a version has all of them.
If it comes soon after the stretch begins it is named by that beginning: several workers, each of
which saves its own partitions, then have a version in common.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

SOON_S = 10.0  # a save that is under way when a stretch begins may take so long


class Instant(NamedTuple):
    """When a save is taken, and whether it covers what has not changed too."""

    at: float
    whole: bool


class Instants:
    """Gives instants to saves, one after the other.

    >>> now = [3_590.0]
    >>> instants = Instants(3_600.0, lambda: now[0])
    >>> instants.next()
    Instant(at=3590.0, whole=True)
    >>> instants.done()
    >>> now[0] = 3_601.5
    >>> instants.next()
    Instant(at=3600.0, whole=True)
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time.time) -> None:
        self._every_s = every_s
        self._clock = clock
        self._last = round(clock(), 3) - 0.001
        self._whole = True

    def next(self) -> Instant:
        """Return the instant of a save that begins now; it stays whole until one was `done`."""
        now, last = round(self._clock(), 3), self._last
        if now <= last < now + 1.0:
            now = round(last + 0.001, 3)  # a name of its own
        self._last = now
        begun = now // self._every_s * self._every_s
        if last >= begun:
            return Instant(now, self._whole)
        # Only the first attempt is named so: one that failed may have left some shards behind.
        self._whole = True
        return Instant(begun if now - begun < SOON_S else now, whole=True)

    def done(self) -> None:
        """Note that the last save is there."""
        self._whole = False

    def left(self) -> float:
        """Return the seconds until the next stretch begins."""
        return self._every_s - self._clock() % self._every_s
