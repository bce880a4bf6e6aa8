"""KernelRanker: the recommender's kernels behind River's ranker interface, one user base."""

import math
from collections.abc import Hashable
from collections.abc import Set as AnySet
from typing import Any

import numpy as np
from river.reco.base import Ranker

from contracts import pipeline as contract
from contracts.pipeline import Generators, Pipeline
from learners.arrays import room_for
from learners.asked import score_wanted
from learners.candidates import MOST, View
from learners.recommender import Events, Recommender, Shape
from learners.step import Person

Generator = (
    contract.Popularity
    | contract.Recent
    | contract.CoOccurrence
    | contract.Transitions
    | contract.Neighbours
)
FIELDS: dict[type, str] = {
    contract.Popularity: "popularity",
    contract.Recent: "recent",
    contract.CoOccurrence: "co_occurrence",
    contract.Transitions: "transitions",
    contract.Neighbours: "neighbours",
}
OPTIONAL = [name for name in FIELDS.values() if name != "popularity"]
HEAVIEST = 1000  # as an action of a pipeline may weigh: sums of these fit into 32-bit floats


def only(generator: Generator) -> Pipeline:
    """Return a pipeline of one generator, beside popularity, which stays."""
    fields: dict[str, Any] = dict.fromkeys(OPTIONAL) | {FIELDS[type(generator)]: generator}
    return Pipeline(generators=Generators(**fields))


class KernelRanker(Ranker):  # type: ignore[misc]  # River ships no types
    """A River ranker that reads purely: asking about strangers changes nothing.

    Args:
        pipeline: generators and head.
        repeats: may a list hold what the user already chose: `always`, `never`, or `learn`.
        history: last items remembered per user.
        capacity: items remembered; the least recently chosen go first.
        alone: the one view that ranks, instead of the pipeline's head.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        repeats: str = "learn",
        history: int = 20,
        capacity: int = 200_000,
        alone: View | None = None,
    ) -> None:
        super().__init__(seed=None)
        self.repeats, self.history, self.capacity = repeats, history, capacity
        shape = Shape(items=capacity, history=history)
        self.recommender = Recommender(shape, pipeline, repeats == "learn", alone)
        self.users = self.recommender.open()
        self._learned = 0

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn that a user chose an item; `x["ts"]` is when, in seconds.

        Without `ts` the time is that of the latest event. `y` is the weight of the choice; 0
        teaches nothing, and below 0 the item is not offered to this user again.

        Raises:
            ValueError: `ts` is not a finite number, or `y` not one from -1000 to 1000.
        """
        ts, weight = self._now(x), float(y)
        if not abs(weight) <= HEAVIEST:
            raise ValueError(f"y must be a number from {-HEAVIEST} to {HEAVIEST}, got {weight}")
        self._learned += 1
        events = Events(
            [str(user)],
            [str(item)],
            np.array([ts]),
            np.array([weight]),
            np.array([self.repeats == "never" or weight < 0.0]),
            np.zeros(1, np.bool_),
            np.array([self._learned]),
        )
        self.recommender.learn(self.users, events)

    def predict_one(self, user: Hashable, item: Hashable, x: dict[str, Any] | None = None) -> float:
        """Return the score of an item for a user now; 0 where nothing speaks for it."""
        return self._scores(user, [item], x)[0]

    def rank(
        self, user: Hashable, items: AnySet[Hashable], x: dict[str, Any] | None = None
    ) -> list[Hashable]:
        """Return the items, best first; of equals, the one that comes first in the alphabet."""
        ordered = sorted(items, key=str)
        scores = dict(zip(ordered, self._scores(user, ordered, x), strict=True))
        return sorted(ordered, key=scores.__getitem__, reverse=True)

    def candidates(self, user: Hashable, n: int = 20, x: dict[str, Any] | None = None) -> list[str]:
        """Return the user's list now (or at `x["ts"]`): at most `n` items, best first."""
        lists = self.recommender.peek(self.users, self._slot(user), self._now(x))
        names = self.recommender.ids.names
        return [names[slot] for slot in lists.item[0, : min(n, int(lists.length[0]))]]

    def _slot(self, user: Hashable) -> int:
        return self.users.ids.find(str(user))

    def _now(self, x: dict[str, Any] | None) -> float:
        ts = float((x or {}).get("ts", self.recommender.latest))
        if not math.isfinite(ts):
            raise ValueError(f"ts must be a finite number of seconds, got {ts}")
        return ts

    def _scores(
        self, user: Hashable, items: list[Hashable], x: dict[str, Any] | None
    ) -> list[float]:
        model, users = self.recommender, self.users
        wanted = np.array([model.ids.find(str(item)) for item in items], np.int32)
        room = model.working_room(room_for(2 * MOST, MOST + len(items)))
        out = np.empty(len(items))
        person = Person(users.rows, users.pages, model.rules, room)
        score_wanted(model.world, person, self._slot(user), self._now(x), wanted, out)
        return out.tolist()
