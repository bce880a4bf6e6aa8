"""Hiding: which lists that stand in Redis hold an item, of those that were made here or before.

Each user's list of the judge is what was published, unless something on it was hidden then and
others moved up: whose list that is, is noted.
"""

from collections.abc import Set

import numpy as np

from learners.arrays import I32, Flags
from learners.recommender import Recommender, Users
from state.lists import Cut

AT_ONCE = 50_000  # users: some milliseconds
FEW = 8  # items: they are looked for on all lists alike
MANY = 200  # at most, on a list of which little is known
TOGETHER = 20  # lists that one call of the script cuts: 6 µs each, 18 one by one


class Holders:
    """The users of one partition by what their lists hold."""

    def __init__(self, model: Recommender, users: Users) -> None:
        self._model, self._users = model, users
        self._moved: Flags = np.zeros(0, np.bool_)  # others have moved up on the user's list

    def note(self, slots: I32) -> None:
        """Note whose lists were made just now."""
        if not (self._model.hidden or len(self._moved)):
            return
        rows = len(self._users.rows.length)
        if rows > len(self._moved):
            self._moved = np.concatenate([self._moved, np.zeros(rows - len(self._moved), np.bool_)])
        self._moved[slots] = self._on_list(slots, self._model.room.hidden).any(axis=1)

    def of(self, items: Set[str]) -> I32:
        """Return whose lists may hold one of the items."""
        slots = self._model.ids.find_all(list(items))
        if (slots < 0).any() and self._model.ids.evicted:
            return self._all()  # let go, perhaps, and on lists from before
        return np.union1d(self._with(slots), np.flatnonzero(self._moved)).astype(np.int32)

    def wanting(self, items: Set[str]) -> I32:
        """Return whose lists would hold one of the items if it were not hidden."""
        return self._with(self._model.ids.find_all(list(items)))

    def cuts(self, holders: I32, items: Set[str]) -> list[Cut]:
        """Return what is to be cut out of whose lists."""
        names = self._users.ids.names
        if len(items) <= FEW:  # look for all of them on all lists
            users, few = [names[slot] for slot in holders.tolist() if names[slot]], list(items)
            return [Cut(users[k : k + TOGETHER], few) for k in range(0, len(users), TOGETHER)]
        cuts = [Cut([names[slot]], self._looked_for(slot, items)) for slot in holders.tolist()]
        return [cut for cut in cuts if cut.users[0] and cut.items]

    def _looked_for(self, slot: int, items: Set[str]) -> list[str]:
        if slot < len(self._moved) and self._moved[slot]:
            return list(items)[:MANY]
        names, rows = self._model.ids.names, self._users.rows
        listed = [names[item] for item in rows.listed[slot, : rows.length[slot]].tolist()]
        return [name for name in listed if name in items]

    def _with(self, items: I32) -> I32:
        """Return whose lists hold one of the items (-1: unknown)."""
        wanted = np.zeros(len(self._model.world.items.seen), np.bool_)
        wanted[items[items >= 0]] = True
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
