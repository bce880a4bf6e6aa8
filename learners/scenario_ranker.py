"""ScenarioRanker: the lists of scenarios, from what a recommender knows; it changes nothing."""

from collections.abc import Sequence

import numpy as np

from learners.arrays import F32, I32, TRENDING, Flags
from learners.batches import room_for_lists
from learners.given import Lists
from learners.passes import Person
from learners.recommender import Recommender, Users
from learners.room import MOST, Room
from learners.scenarios import Choice, find_popular, rank_scenarios


class ScenarioRanker:
    """Scenarios have numbers here: their places in `lengths` and in `unseen`.

    Args:
        lengths: items in the lists of each.
        unseen: whether those of each hold nothing that the user has seen.
        caps: (scenarios, capped) how many items may have one value, 0 for any number.
    """

    def __init__(
        self, model: Recommender, lengths: Sequence[int], unseen: Sequence[bool], caps: I32
    ) -> None:
        self._model = model
        self._lengths = np.array(lengths, np.int32)
        self._depth = max(lengths, default=0)
        most = MOST + len(lengths) * TRENDING
        self._choice = Choice(
            kind=np.zeros(0, np.int32),
            factor=np.zeros((len(lengths), 1), np.float32),
            value=np.full((caps.shape[1], 1), -1, np.int32),
            cap=caps,
            capped=np.array([row.any() for row in caps], np.bool_),
            unseen=np.array(unseen, np.bool_),
            popular=np.full((len(lengths), TRENDING), -1, np.int32),
            column=np.empty(most, np.int32),
            seen=np.empty(most, np.bool_),
            order=np.empty(most, np.float32),
            left=np.empty(most, np.float32),
        )
        self._kept: Room | None = None

    @property
    def kinds(self) -> int:
        """How many kinds are known; only those may be noted."""
        return self._choice.factor.shape[1]

    def note_kinds(self, slots: Sequence[int], kinds: Sequence[int]) -> None:
        """Know of which kinds the items in these slots are."""
        kind, rows = self._choice.kind, len(self._model.world.items.seen)
        if rows > len(kind):
            kind = np.concatenate([kind, np.zeros(rows - len(kind), np.int32)])
            self._choice = self._choice._replace(kind=kind)
        kind[np.asarray(slots, np.int64)] = kinds

    def go_by(self, factor: F32, value: I32) -> None:
        """Go by factors, (scenarios, kinds), and by values, (capped, kinds)."""
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
        return lists._replace(length=np.minimum(lists.length, self._lengths[which])), which

    def strangers(self) -> tuple[Lists, I32]:
        """Return what somebody of whom nothing is known is shown in each scenario."""
        everything = np.ones((1, len(self._lengths)), np.bool_)
        nobody = np.full(1, -1, np.int32)
        return self.rank(self._model.stranger, nobody, everything, self._model.latest)

    def _person(self, users: Users) -> Person:
        model, kept = self._model, self._kept
        if kept is None or len(kept.known) != len(model.room.known):
            self.note_kinds([], [])
            kept = model.working_room(len(self._choice.order))
            self._kept = kept = kept._replace(
                listed=np.empty(self._depth, np.int32), odds=np.zeros(self._depth, np.float32)
            )
        room = kept._replace(hidden=model.room.hidden, content=model.room.content)
        return Person(users.rows, users.pages, model.rules, room)
