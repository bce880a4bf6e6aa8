"""CoOccurrence as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from contracts.pipeline import Generators, Pipeline
from learners.candidates import View
from learners.ranker import KernelRanker

YEAR_S = 365 * 86_400.0


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
        half_life_s: float = YEAR_S,
        neighbours: int = 64,
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.half_life_s, self.neighbours = half_life_s, neighbours
        self.generator = pipeline.CoOccurrence(half_life_s, neighbours)
        only = Generators(
            recent=None, co_occurrence=self.generator, transitions=None, neighbours=None
        )
        super().__init__(Pipeline(generators=only), "learn", history, capacity, View.NEAR)
