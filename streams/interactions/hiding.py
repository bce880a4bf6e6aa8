"""Hiding: which lists that stand in Redis hold an item, of those that were made here or before.

The list that a user is judged on is the one that was published, unless it held something hidden
then: others moved up, and that is noted of the user.
"""

from collections.abc import Iterator, Sequence, Set

import numpy as np

from contracts.keys import REC
from learners.arrays import I32, JUDGED, Flags
from learners.recommender import Recommender
from learners.users import Users
from state.lists import Cut

AT_ONCE = 50_000  # users: some milliseconds
FEW = 8  # items: they are looked for on all lists alike
MANY = 200  # at once, on lists of which it is not known what they hold
TOGETHER = 20  # lists that one call of the script cuts: 6 µs each, 18 one by one


class Holders:
    """The users of one partition by what their lists hold."""

    def __init__(self, model: Recommender, users: Users) -> None:
        self._model, self._users = model, users
        # Lists are longer than what is judged of them, or hold others in its place.
        self._deep = model.depth > JUDGED or any(g.floors for g in model.pipeline.groups.values())
        self._moved: Flags = np.zeros(0, np.bool_)  # others have moved up on the user's list

    def note_all(self) -> None:
        """Note whose lists were made by somebody else, if what is hidden now was hidden then."""
        self.note(self._all())

    def note(self, slots: I32) -> None:
        """Note whose lists were made just now."""
        if not (self._model.hidden or len(self._moved)):
            return
        rows = len(self._users.rows.length)
        if rows > len(self._moved):
            self._moved = np.concatenate([self._moved, np.zeros(rows - len(self._moved), np.bool_)])
        self._moved[slots] = self._on_list(slots, self._model.room.hidden).any(axis=1)

    def _everywhere(self, items: Set[str]) -> list[str]:
        """Return which of the items are to be looked for on all lists.

        Those of which nothing is known: let go since, they may stand on lists from before. Of many
        at once only those that may be further down on a list than is known here.
        """
        if self._deep:
            return list(items)
        if not self._model.ids.evicted:
            return []
        loose = [item for item in items if item not in self._model.ids]
        return loose if len(loose) <= FEW else []

    def listing(self, items: Set[str]) -> I32:
        """Return whose lists hold one of the items, or would if it were not hidden."""
        return self._with(self._model.ids.find_shown(list(items)))

    def cuts(self, items: Set[str]) -> Iterator[Cut]:
        """Yield what is to be cut out of whose lists, wherever one of the items may stand."""
        names, moved = self._users.ids.names, np.flatnonzero(self._moved)
        everywhere = self._everywhere(items)
        if len(items) <= FEW:
            holders = self._all() if everywhere else np.union1d(self.listing(items), moved)
            yield from together(own([names[slot] for slot in holders.tolist()]), list(items))
            return
        yield from together(own(names), everywhere)
        yield from together(own([names[slot] for slot in moved.tolist()]), list(items))
        for slot in self.listing(items).tolist():
            yield from together(own([names[slot]]), self._listed(slot, items))

    def _listed(self, slot: int, items: Set[str]) -> list[str]:
        names, rows = self._model.ids.names, self._users.rows
        listed = [names[item] for item in rows.listed[slot, : rows.length[slot]].tolist()]
        return [name for name in listed if name in items]

    def _with(self, items: I32) -> I32:
        """Return whose lists hold one of the items (-1: unknown)."""
        wanted = self._model.marked(items)
        everybody = self._all()
        some = [everybody[k : k + AT_ONCE] for k in range(0, len(everybody), AT_ONCE)]
        found = [c[self._on_list(c, wanted).any(axis=1)] for c in some] if wanted.any() else []
        return np.concatenate([np.empty(0, np.int32), *found])

    def _on_list(self, slots: I32, wanted: Flags) -> Flags:
        rows = self._users.rows
        there = np.arange(rows.listed.shape[1]) < rows.length[slots][:, None]
        found: Flags = wanted[rows.listed[slots]] & there
        return found

    def _all(self) -> I32:
        return np.arange(len(self._users.ids.names), dtype=np.int32)


def own(users: Sequence[str]) -> list[str]:
    """Return the keys of users' own lists; who was forgotten has no name, and no list."""
    return [REC.at("", user=user) for user in users if user]


def together(lists: list[str], items: list[str]) -> Iterator[Cut]:
    """Yield cuts of some lists each."""
    for n in range(0, len(items), MANY):
        for k in range(0, len(lists), TOGETHER):
            yield Cut(lists[k : k + TOGETHER], items[n : n + MANY])
