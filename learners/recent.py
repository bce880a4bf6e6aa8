"""Recent as a River ranker, and as a generator of a fusion."""

from contracts import pipeline
from learners.ranker import KernelRanker, only
from learners.room import View


class Recent(KernelRanker):
    """Rank the user's own last items, the newest first: a quarter of a shop's clicks are repeats.

    >>> ranker = Recent()
    >>> for item in ["tea", "jam"]:
    ...     ranker.learn_one("ann", item)
    >>> ranker.candidates("ann"), ranker.candidates("bob")
    (['jam', 'tea'], [])
    """

    def __init__(self, history: int = 20, capacity: int = 200_000) -> None:
        self.generator = pipeline.Recent()
        super().__init__(only(self.generator), "always", history, capacity, View.OWN)
