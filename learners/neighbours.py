"""Neighbours as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from learners.ranker import KernelRanker, only
from learners.room import View

DEFAULT = pipeline.Neighbours()


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
        sessions: int = DEFAULT.sessions,
        visits: int = DEFAULT.visits,
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.sessions, self.visits = sessions, visits
        self.generator = pipeline.Neighbours(sessions, visits)
        super().__init__(only(self.generator), "learn", history, capacity, View.SEQUEL)
