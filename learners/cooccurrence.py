"""CoOccurrence as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from learners.ranker import KernelRanker, only
from learners.room import View

DEFAULT = pipeline.CoOccurrence()


class CoOccurrence(KernelRanker):
    """Rank items by what goes with the user's last items.

    >>> ranker = CoOccurrence()
    >>> for user in ["ann", "bob"]:
    ...     for item in ["tea", "jam"]:
    ...         ranker.learn_one(user, item)
    >>> ranker.learn_one("eve", "tea")
    >>> ranker.candidates("eve", 2)
    ['jam']
    """

    def __init__(
        self,
        half_life_s: float = DEFAULT.half_life_s,
        neighbours: int = DEFAULT.neighbours,
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.half_life_s, self.neighbours = half_life_s, neighbours
        self.generator = pipeline.CoOccurrence(half_life_s, neighbours)
        super().__init__(only(self.generator), "learn", history, capacity, View.NEAR)
