"""KernelRanker: the recommender's kernels behind River's ranker interface, one user base."""

import math
from collections.abc import Hashable, Sequence
from collections.abc import Set as AnySet
from typing import Any

import numpy as np
from river.reco.base import Ranker

from contracts import pipeline as contract
from contracts.pipeline import Generators, Pipeline
from learners.arrays import F64, I32, room_for
from learners.asked import offer, weigh_offered
from learners.batches import Events
from learners.passes import Person
from learners.recommender import Recommender
from learners.room import COLUMN, GENERATORS, MOST, Room, View
from learners.users import Shape

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
REPEATS = ("learn", "always", "never")
NOTHING = np.empty(0, np.int32)
HEAVIEST = 1000  # as an action of a pipeline may weigh: sums of these fit into 32-bit floats


def only(generator: Generator) -> Pipeline:
    """Return a pipeline of one generator, beside popularity, which stays."""
    fields: dict[str, Any] = dict.fromkeys(GENERATORS) | {FIELDS[type(generator)]: generator}
    return Pipeline(generators=Generators(**fields))


class KernelRanker(Ranker):  # type: ignore[misc]  # River ships no types
    """A River ranker that reads purely: asking about strangers changes nothing.

    Args:
        pipeline: generators and head.
        repeats: may a list hold what the user already chose: `always`, `never`, or `learn`.
        history: last items remembered per user.
        capacity: items remembered; the least recently chosen go first.
        alone: the one view that ranks, instead of the pipeline's head.
        foreign: names of views that `_add` fills.

    Raises:
        ValueError: `repeats` is none of these, or `history` or `capacity` is below 1.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        repeats: str = "learn",
        history: int = 20,
        capacity: int = 200_000,
        alone: View | None = None,
        foreign: Sequence[str] = (),
    ) -> None:
        super().__init__(seed=None)
        if repeats not in REPEATS:
            raise ValueError(f"repeats must be one of {', '.join(REPEATS)}, got {repeats!r}")
        if history < 1 or capacity < 1:
            raise ValueError(f"history and capacity must be ≥ 1, got {history} and {capacity}")
        self.repeats, self.history, self.capacity = repeats, history, capacity
        shape = Shape(items=capacity, history=history)
        self.recommender = Recommender(shape, pipeline, repeats == "learn", alone, foreign)
        self.users = self.recommender.open()
        self._learned = 0
        self._kept: Room | None = None

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn that a user chose an item; `x["ts"]` is when, in seconds.

        Without `ts` the time is that of the latest event. `y` is the weight of the choice; 0
        teaches nothing, and below 0 the item is not offered to this user again.

        Raises:
            ValueError: `ts` is not a finite number, or `y` not one from -1000 to 1000.
        """
        ts, weight = self._now(x), self._weight(y)
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
        return float(self._scores(user, [item], x)[0])

    def rank(
        self, user: Hashable, items: AnySet[Hashable], x: dict[str, Any] | None = None
    ) -> list[Hashable]:
        """Return the items, best first; of equals, the one that comes first in the alphabet."""
        ordered = sorted(items, key=str)
        best = np.argsort(-self._scores(user, ordered, x), kind="stable")
        return [ordered[k] for k in best.tolist()]

    def candidates(self, user: Hashable, n: int = 20, x: dict[str, Any] | None = None) -> list[str]:
        """Return the user's list now (or at `x["ts"]`): at most `n` items, best first."""
        person, count = self._pass(user, NOTHING, x)
        room = person.room
        best = np.argsort(-room.score[:count], kind="stable")[: max(n, 0)]
        names = self.recommender.ids.names
        return [names[slot] for slot in room.item[best[room.score[best] > -np.inf]].tolist()]

    def _scores(self, user: Hashable, items: list[Hashable], x: dict[str, Any] | None) -> F64:
        slots = self.recommender.ids.find_all([str(item) for item in items])
        known = slots >= 0
        room = self._pass(user, slots[known], x)[0].room
        given = room.chance if self.recommender.learns else room.score
        scores = np.zeros(len(items))
        scores[known] = np.maximum(given[room.place[slots[known]] & COLUMN], 0.0)
        return scores

    def _pass(self, user: Hashable, wanted: I32, x: dict[str, Any] | None) -> tuple[Person, int]:
        """Score the wanted items and the user's candidates; return where they stand, how many."""
        now, model = self._now(x), self.recommender
        slot, brought = self.users.ids.find(str(user)), self._brought(user)
        person = self._person(len(wanted) + len(brought))
        count = offer(model.world, person, slot, wanted, brought)
        self._add(person.room, count, user, x)
        weigh_offered(model.world, person, slot, now, count)
        return person, count

    def _brought(self, user: Hashable) -> I32:  # noqa: ARG002 - for those who know some
        """Return the slots of candidates that no kernel finds."""
        return NOTHING

    def _add(self, room: Room, count: int, user: Hashable, x: dict[str, Any] | None) -> None:
        """Give the candidates what no kernel knows."""

    def _person(self, wanted: int) -> Person:
        """Return the users, and room for the candidates and so many wanted items.

        Not a column more, whatever was asked before: answers would differ.
        """
        model, most = self.recommender, MOST + wanted
        if most > COLUMN:
            raise ValueError(f"at most {COLUMN - MOST:,} items can be ranked at a time")
        kept = self._kept
        if kept is None or len(kept.item) < most or len(kept.known) != len(model.room.known):
            kept = self._kept = model.working_room(room_for(MOST, most))
        users = self.users
        return Person(users.rows, users.pages, model.rules, kept._replace(item=kept.item[:most]))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the room to work in."""
        return {**self.__dict__, "_kept": None}

    def _weight(self, y: float) -> float:
        if not abs(float(y)) <= HEAVIEST:
            raise ValueError(f"y must be a number from {-HEAVIEST} to {HEAVIEST}, got {y}")
        return float(y)

    def _now(self, x: dict[str, Any] | None) -> float:
        ts = float((x or {}).get("ts", self.recommender.latest))
        if not math.isfinite(ts):
            raise ValueError(f"ts must be a finite number of seconds, got {ts}")
        return ts
