"""Foreign: River rankers that are not ours, as generators of a fusion.

No kernel can ask them, so a fusion with one works event by event in Python: the kernels collect
candidates, the ranker orders them (`rank`, one call a pass), the kernels weigh and learn. Its view
gives each candidate 1 / (1 + place), whatever its scores mean. A ranker that has `candidates`
brings its own, asked without `x`; another only orders those of the generators. The price is the
ranker's: for River's BiasedMF some milliseconds per event, for the kernels ten microseconds.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from learners.arrays import I32
from learners.ids import Ids
from learners.room import Room

BROUGHT = 32  # candidates of its own that a ranker is asked for


@runtime_checkable
class RiverRanker(Protocol):
    """What a fusion asks of a ranker: the interface of `river.reco`; ids are strings."""

    def learn_one(self, user: str, item: str, y: float, x: dict[str, Any] | None = None) -> None:
        """Learn that a user chose an item."""

    def rank(self, user: str, items: set[str], x: dict[str, Any] | None = None) -> Sequence[str]:
        """Return the items, best first."""


class Foreign:
    """The foreign rankers of a fusion; each fills a view, the last ones of the room."""

    def __init__(self, rankers: Sequence[RiverRanker]) -> None:
        self.rankers = rankers

    @property
    def names(self) -> list[str]:
        """The names of their views: those of their classes, the second of a name with a 2."""
        met: Counter[str] = Counter()
        names = []
        for ranker in self.rankers:
            kind = type(ranker).__name__
            met[kind] += 1
            names.append(kind if met[kind] == 1 else f"{kind} {met[kind]}")
        return names

    def brought(self, ids: Ids, user: Hashable) -> I32:
        """Return the slots of the candidates that rankers have of their own."""
        own: list[str] = []
        for ranker in self.rankers:
            if callable(candidates := getattr(ranker, "candidates", None)):
                own += map(str, candidates(str(user), BROUGHT))
        slots = ids.find_all(own)
        return slots[slots >= 0]

    def fill(
        self, room: Room, count: int, ids: Ids, user: Hashable, x: dict[str, Any] | None
    ) -> None:
        """Write each ranker's view of the first `count` candidates.

        Raises:
            ValueError: a ranker returned what is no candidate.
        """
        names = [ids.names[slot] for slot in room.item[:count].tolist()]
        column = {name: k for k, name in enumerate(names)}
        for view, ranker in enumerate(self.rankers, len(room.mass) - len(self.rankers)):
            ranked = ranker.rank(str(user), set(names), x)
            try:
                order = [column[str(item)] for item in ranked]
            except (KeyError, TypeError):
                raise ValueError(
                    f"{type(ranker).__name__}.rank must return the items that it was given, "
                    f"best first; it returned {ranked!r:.80}"
                ) from None
            room.mass[view, order] = 1.0 / np.arange(1, len(order) + 1)

    def learn(self, user: Hashable, item: Hashable, y: float, x: dict[str, Any] | None) -> None:
        """Let all learn."""
        for ranker in self.rankers:
            ranker.learn_one(str(user), str(item), y, x)
