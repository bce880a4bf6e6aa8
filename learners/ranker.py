"""KernelRanker: the recommender's kernels behind River's ranker interface, one user base."""

import math
from collections.abc import Hashable
from collections.abc import Set as AnySet
from typing import Any, ClassVar

import numpy as np
from river.reco.base import Ranker

from learners.rank import Rules, rank, score_one
from learners.recommender import Events, Recommender, Shape


class KernelRanker(Ranker):  # type: ignore[misc]  # River ships no types
    """A River ranker that reads purely: asking about strangers changes nothing.

    Args:
        half_life_s: seconds after which a choice counts half towards popularity.
        pair_half_life_s: the same for co-occurrence.
        repeats: whether a list may hold what the user already chose.
        history: last items remembered per user.
        neighbours: neighbours remembered per item.
        items_capacity: items remembered; the least recently chosen go first.
    """

    PAIRS: ClassVar[bool]
    FILL: ClassVar[bool]

    def __init__(
        self,
        half_life_s: float = 86_400.0,
        pair_half_life_s: float = 30 * 86_400.0,
        repeats: bool = True,
        history: int = 20,
        neighbours: int = 32,
        items_capacity: int = 200_000,
    ) -> None:
        super().__init__(seed=None)
        self.half_life_s, self.pair_half_life_s = half_life_s, pair_half_life_s
        self.repeats, self.history, self.neighbours = repeats, history, neighbours
        self.items_capacity = items_capacity
        shape = Shape(items=items_capacity, history=history, neighbours=neighbours)
        rules = Rules(half_life_s, pair_half_life_s, repeats, self.PAIRS, self.FILL)
        self.recommender = Recommender(shape, rules)
        self.users = self.recommender.open()
        self._learned = 0

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn that a user chose an item; `x["ts"]` is when, in seconds.

        Without `ts` the time is that of the latest event. `y` of 0 or less is no choice.

        Raises:
            ValueError: `ts` is not a finite number.
        """
        if y <= 0:
            return
        latest = max(float(self.recommender.trend.clock[2]), 0.0)
        ts = float((x or {}).get("ts", latest))
        if not math.isfinite(ts):
            raise ValueError(f"ts must be a finite number of seconds, got {ts}")
        self._learned += 1
        events = Events(
            [str(user)],
            [str(item)],
            np.array([ts]),
            np.zeros(1, np.bool_),
            np.array([self._learned]),
        )
        self.recommender.learn(self.users, events)

    def predict_one(
        self,
        user: Hashable,
        item: Hashable,
        x: dict[str, Any] | None = None,  # noqa: ARG002  # River's interface
    ) -> float:
        """Return the score of an item for a user now; 0 where nothing speaks for it."""
        return self._scores(user, [item])[0]

    def rank(
        self,
        user: Hashable,
        items: AnySet[Hashable],
        x: dict[str, Any] | None = None,  # noqa: ARG002  # River's interface
    ) -> list[Hashable]:
        """Return the items, best first; of equals, the one that comes first in the alphabet."""
        ordered = sorted(items, key=str)
        scores = dict(zip(ordered, self._scores(user, ordered), strict=True))
        return sorted(ordered, key=scores.__getitem__, reverse=True)

    def candidates(self, user: Hashable, n: int = 20) -> list[str]:
        """Return the user's list: at most `n` items, best first."""
        model = self.recommender
        history, chosen = self._history(user)
        length = rank(model.rows, model.trend, history, chosen, model.rules, model.room)
        return [model.ids.names[slot] for slot in model.room.item[: min(n, length)]]

    def _history(self, user: Hashable) -> tuple[Any, int]:
        slot = self.users.ids.find(str(user))
        if slot < 0:
            return np.empty(0, np.int32), 0
        return self.users.rows.history[slot], int(self.users.rows.chosen[slot])

    def _scores(self, user: Hashable, items: list[Hashable]) -> list[float]:
        model = self.recommender
        history, chosen = self._history(user)
        wanted = np.array([model.ids.find(str(item)) for item in items], np.int32)
        out = np.empty(len(items))
        score_one(model.rows, model.trend, history, chosen, model.rules, model.room, wanted, out)
        return out.tolist()
