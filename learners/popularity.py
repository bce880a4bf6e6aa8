"""Popularity as a River ranker, and as a generator of a fusion."""

import math
from collections.abc import Sequence

import msgspec

from contracts import pipeline
from contracts.pipeline import DAY_S
from learners.ranker import KernelRanker, only


class Popularity(KernelRanker):
    """Rank items by how often they were chosen lately.

    A choice counts half after `half_life_s` seconds of event time, given as ``x={"ts": …}``. In
    a fusion all of `half_lives_s` are looked at, and it finds out which of them tell something;
    without them those of a pipeline, `half_life_s` in place of the nearest.

    >>> ranker = Popularity(half_life_s=60.0)
    >>> for item in ["tea", "tea", "jam"]:
    ...     ranker.learn_one("ann", item, x={"ts": 0.0})
    >>> ranker.rank("bob", {"jam", "tea", "oat"})
    ['tea', 'jam', 'oat']
    >>> ranker.predict_one("bob", "jam")
    0.5
    >>> ranker.learn_one("ann", "jam", x={"ts": 60.0})  # by now the two teas count as one
    >>> round(ranker.predict_one("bob", "tea"), 6)
    0.666667
    """

    def __init__(
        self,
        half_life_s: float = DAY_S,
        half_lives_s: Sequence[float] | None = None,
        capacity: int = 200_000,
    ) -> None:
        self.half_life_s = half_life_s
        self.half_lives_s = half_lives_s
        lives = tuple(
            _with(half_life_s, pipeline.Popularity().half_lives_s)
            if half_lives_s is None
            else half_lives_s
        )
        self.generator = pipeline.Popularity(lives, half_life_s)
        blend = msgspec.structs.replace(only(self.generator), head="blend")
        super().__init__(blend, capacity=capacity)


def _with(half_life_s: float, usual: Sequence[float]) -> list[float]:
    """Return the usual half-lives with this one in place of the nearest.

    >>> _with(2.0, [1.0, 3.5, 10.0])
    [1.0, 2.0, 10.0]
    """
    if not half_life_s > 0.0:
        return [half_life_s]  # whoever checks it says what is wrong
    nearest = min(usual, key=lambda life: abs(math.log(life / half_life_s)))
    return [half_life_s if life == nearest else life for life in usual]
