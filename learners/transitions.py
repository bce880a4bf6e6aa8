"""Transitions as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from contracts.pipeline import Generators, Pipeline
from learners.candidates import View
from learners.ranker import KernelRanker


class Transitions(KernelRanker):
    """Rank items by how often they were chosen right after the user's last one.

    >>> ranker = Transitions()
    >>> for item in ["tea", "jam", "oat"]:
    ...     ranker.learn_one("ann", item)
    >>> ranker.learn_one("bob", "tea")
    >>> ranker.candidates("bob")
    ['jam']
    """

    def __init__(self, followers: int = 64, history: int = 20, capacity: int = 200_000) -> None:
        self.followers = followers
        self.generator = pipeline.Transitions(followers)
        only = Generators(
            recent=None, co_occurrence=None, transitions=self.generator, neighbours=None
        )
        super().__init__(Pipeline(generators=only), "learn", history, capacity, View.NEXT)
