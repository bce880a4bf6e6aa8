"""Blend: co-occurrence first, filled up from popularity."""

from contracts.pipeline import Pipeline
from learners.ranker import KernelRanker


class Blend(KernelRanker):
    """Rank by what goes with the user's last items; behind those, what is popular.

    Scores above 1 come from co-occurrence, scores up to 1 from popularity. Nothing is learned
    about which of them is right: the fastest head.

    >>> ranker = Blend()
    >>> for user in ["ann", "bob"]:
    ...     for item in ["tea", "jam"]:
    ...         ranker.learn_one(user, item)
    >>> ranker.learn_one("ann", "oat")
    >>> ranker.learn_one("eve", "tea")
    >>> ranker.candidates("eve", 3)
    ['jam', 'oat', 'tea']
    >>> ranker.candidates("a stranger", 3)
    ['tea', 'jam', 'oat']
    """

    def __init__(self, repeats: str = "always", history: int = 20, capacity: int = 200_000) -> None:
        super().__init__(Pipeline(head="blend"), repeats, history, capacity)
