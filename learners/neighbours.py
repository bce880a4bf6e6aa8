"""Neighbours as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from contracts.pipeline import Generators, Pipeline
from learners.candidates import View
from learners.ranker import KernelRanker


class Neighbours(KernelRanker):
    """Rank items by the sessions that hold the user's last items, too (VS-kNN).

    Source: Jannach and Ludewig, When Recurrent Neural Networks meet the Neighborhood for
    Session-Based Recommendation, 2017.

    >>> ranker = Neighbours()
    >>> for user in ["ann", "bob"]:
    ...     for item in ["tea", "jam"]:
    ...         ranker.learn_one(user, item)
    >>> ranker.learn_one("eve", "tea")
    >>> ranker.candidates("eve", 1)
    ['jam']
    """

    def __init__(
        self,
        sessions: int = 100_000,
        visits: int = 64,
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.sessions, self.visits = sessions, visits
        self.generator = pipeline.Neighbours(sessions, visits)
        only = Generators(
            recent=None, co_occurrence=None, transitions=None, neighbours=self.generator
        )
        super().__init__(Pipeline(generators=only), "learn", history, capacity, View.SEQUEL)
