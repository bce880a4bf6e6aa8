"""Hiding: which lists that stand in Redis hold an item, of those that were made here or before.

Each user's list of the judge is what was published, unless something on it was hidden then and
others moved up: whose list that is, is noted.
"""

from collections.abc import Set

import numpy as np

from learners.arrays import I32, Flags
from learners.recommender import Recommender, Users

AT_ONCE = 50_000  # users: some milliseconds
FEW = 20  # items to be looked for on lists of which it is not known what they hold


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

    def of(self, items: Set[str]) -> dict[int, list[str]]:
        """Return whose lists may hold which of the items, by slot."""
        slots = self._model.ids.find_all(list(items))
        names, listed = self._model.ids.names, self._users.rows.listed
        wanted = self._flags(slots)
        found = {
            int(user): [names[item] for item in listed[user][on].tolist()]
            for user, on in zip(*self._with(wanted), strict=True)
        }
        if len(items) <= FEW:  # else they are only ranked anew
            let_go = (slots < 0).any() and self._model.ids.evicted
            for user in self._all() if let_go else np.flatnonzero(self._moved):
                found[int(user)] = list(items)
        return found

    def wanting(self, items: Set[str]) -> I32:
        """Return whose lists would hold one of the items if it were not hidden."""
        return self._with(self._flags(self._model.ids.find_all(list(items))))[0]

    def _flags(self, items: I32) -> Flags:
        wanted = np.zeros(len(self._model.world.items.seen), np.bool_)
        wanted[items[items >= 0]] = True
        return wanted

    def _with(self, wanted: Flags) -> tuple[I32, list[Flags]]:
        """Return whose lists hold something wanted, and where on each list it stands."""
        everybody, users, places = self._all(), list[I32](), list[Flags]()
        for k in range(0, len(everybody) if wanted.any() else 0, AT_ONCE):
            some = everybody[k : k + AT_ONCE]
            on = self._on_list(some, wanted)
            found = on.any(axis=1)
            users.append(some[found])
            places += list(on[found])
        return np.concatenate([np.empty(0, np.int32), *users]), places

    def _on_list(self, slots: I32, wanted: Flags) -> Flags:
        rows = self._users.rows
        there = np.arange(rows.listed.shape[1]) < rows.length[slots][:, None]
        found: Flags = wanted[rows.listed[slots]] & there
        return found

    def _all(self) -> I32:
        return np.arange(len(self._users.ids.names), dtype=np.int32)
