"""ScenarioRanker: the lists of scenarios, from what a recommender knows; it changes nothing."""

from collections.abc import Sequence

import numpy as np

from contracts.scenarios import Scenario
from learners.arrays import F32, I32, Flags, long_enough
from learners.batches import room_for_lists
from learners.choice import choice_of
from learners.given import Lists
from learners.passes import Person
from learners.recommender import Recommender
from learners.room import Room
from learners.scenarios import find_popular, rank_scenarios
from learners.users import Users
from learners.wishes import wishes_of


class ScenarioRanker:
    """Scenarios have numbers here: their places in `scenarios`.

    Args:
        model: what knows the candidates.
        scenarios: what is wanted.
        attributes: those that some scenario looks at, in the order of `go_by`.
        length: items in a list of a scenario that does not say how many.
    """

    def __init__(
        self,
        model: Recommender,
        scenarios: Sequence[Scenario],
        attributes: Sequence[str],
        length: int,
    ) -> None:
        self._model, self._scenarios = model, len(scenarios)
        wishes = wishes_of(scenarios, attributes, length)
        self._depth = int(wishes.length.max(initial=0))
        self._choice = choice_of(wishes, model.widths.history)
        self._kept: Room | None = None

    @property
    def kinds(self) -> int:
        """How many kinds are known; only those may be noted."""
        return self._choice.factor.shape[1]

    def note_kinds(self, slots: Sequence[int], kinds: Sequence[int]) -> None:
        """Know of which kinds the items in these slots are."""
        kind = long_enough(self._choice.kind, len(self._model.world.items.seen))
        self._choice = self._choice._replace(kind=kind)
        kind[np.asarray(slots, np.int64)] = kinds

    def go_by(self, factor: F32, value: I32) -> None:
        """Go by factors, (rows, kinds), and by values, (attributes, kinds)."""
        self._choice = self._choice._replace(factor=factor, value=value)

    def look(self) -> None:
        """Look what is popular now; that takes some ns for each item and scenario."""
        self.note_kinds([], [])
        hidden = self._model.room.hidden
        find_popular(self._model.world, self._model.rules.baseline, hidden, self._choice)

    def rank(self, users: Users, slots: I32, wanted: Flags, now: float) -> tuple[Lists, I32]:
        """Return the lists that are `wanted`, (slots, scenarios), at a moment, and whose they are.

        `Lists.event` is a place in `slots` (-1 there: of a stranger), the other the scenario.
        """
        count = int(wanted.sum())
        lists, which = room_for_lists(count, self._depth), np.empty(count, np.int32)
        rank_scenarios(
            self._model.world, self._person(users), self._choice, slots, wanted, now, lists, which
        )
        return lists, which

    def strangers(self) -> tuple[Lists, I32]:
        """Return what somebody of whom nothing is known is shown in each scenario."""
        everything = np.ones((1, self._scenarios), np.bool_)
        nobody = np.full(1, -1, np.int32)
        return self.rank(self._model.stranger, nobody, everything, self._model.latest)

    def _person(self, users: Users) -> Person:
        model, kept = self._model, self._kept
        if kept is None or len(kept.known) != len(model.room.known):
            self.note_kinds([], [])
            kept = model.working_room(len(self._choice.order))
            self._kept = kept = kept._replace(listed=np.empty(self._depth, np.int32))
        room = kept._replace(hidden=model.room.hidden, content=model.room.content)
        return Person(users.rows, users.pages, model.rules, room)
