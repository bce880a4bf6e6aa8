"""CoOccurrence as a River ranker."""

from learners.ranker import KernelRanker


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

    PAIRS = True
    FILL = False

    def __init__(
        self,
        half_life_s: float = 30 * 86_400.0,
        neighbours: int = 32,
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        super().__init__(
            pair_half_life_s=half_life_s,
            neighbours=neighbours,
            history=history,
            items_capacity=capacity,
        )
        self.half_life_s, self.capacity = half_life_s, capacity
