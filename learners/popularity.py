"""Popularity as a River ranker."""

from learners.ranker import KernelRanker


class Popularity(KernelRanker):
    """Rank items by how often they were chosen lately.

    A choice counts half after `half_life_s` seconds of event time, given as ``x={"ts": …}``.

    >>> ranker = Popularity(half_life_s=60.0)
    >>> for item in ["tea", "tea", "jam"]:
    ...     ranker.learn_one("ann", item, x={"ts": 0.0})
    >>> ranker.rank("bob", {"jam", "tea", "oat"})
    ['tea', 'jam', 'oat']
    >>> ranker.predict_one("bob", "jam")
    0.5
    >>> ranker.learn_one("ann", "jam", x={"ts": 60.0})  # by now the two teas count as one
    >>> ranker.predict_one("bob", "tea")
    0.6666666666666666
    """

    PAIRS = False
    FILL = True

    def __init__(self, half_life_s: float = 86_400.0, capacity: int = 200_000) -> None:
        super().__init__(half_life_s=half_life_s, items_capacity=capacity)
        self.capacity = capacity
