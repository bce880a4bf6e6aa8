"""River's BiasedMF on choices: each event is a 1, beside it a 0 for an item drawn at random."""

from collections.abc import Hashable
from random import Random
from typing import Any

SEED = 1


class RiverMF:
    """A cold model of River and the items that it has met."""

    def __init__(self) -> None:
        from river.reco import BiasedMF

        self._model: Any = BiasedMF(n_factors=10, seed=SEED)
        self._random = Random(SEED)  # noqa: S311 - no secret
        self.items: dict[Hashable, None] = {}
        self._names: list[Hashable] = []

    def learn_one(self, user: Hashable, item: Hashable) -> None:
        """Learn a choice and one item that was not chosen now."""
        if item not in self.items:
            self.items[item] = None
            self._names.append(item)
        self._model.learn_one(user, item, 1.0)
        other = self._random.choice(self._names)
        if other != item:
            self._model.learn_one(user, other, 0.0)

    def rank(self, user: Hashable, items: set[Hashable]) -> list[Hashable]:
        """Return the items, best first; it scores each of them in Python."""
        ranked: list[Hashable] = self._model.rank(user, items)
        return ranked
