"""Transitions as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from learners.ranker import KernelRanker, only
from learners.room import View

DEFAULT = pipeline.Transitions()


class Transitions(KernelRanker):
    """Rank items by how often they were chosen right after the user's last one.

    >>> ranker = Transitions()
    >>> for item in ["tea", "jam", "oat"]:
    ...     ranker.learn_one("ann", item)
    >>> ranker.learn_one("bob", "tea")
    >>> ranker.candidates("bob")
    ['jam']
    """

    def __init__(
        self, followers: int = DEFAULT.followers, history: int = 20, capacity: int = 200_000
    ) -> None:
        self.followers = followers
        self.generator = pipeline.Transitions(followers)
        super().__init__(only(self.generator), "learn", history, capacity, View.NEXT)
