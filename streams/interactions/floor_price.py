"""What floors cost: hits of the lists that were given, beside those without floors.

The list that a user's next event finds is the one that was published, so of a batch only the first
event of each user counts, for both lists alike.
"""

from typing import NamedTuple

import numpy as np

from contracts.groups import FIRST
from learners.arrays import F64, I32, I64, Flags
from learners.given import Lists
from learners.recommender import Recommender
from learners.step import UNJUDGED
from learners.users import Users

EVENTS, GIVEN, FREE = range(3)  # what `judged` counts
FIELDS = 3


class Kept(NamedTuple):
    """The first places of each user's last list, slots of items, -1 for none."""

    given: I32  # (users, FIRST)
    free: I32  # (users, FIRST) without floors
    tag: I64  # (users,) whose it was; slots change hands


class FloorPrice:
    """Keeps the lists of one partition's users in mind, twice."""

    def __init__(self, model: Recommender, users: Users) -> None:
        self._model, self._users = model, users
        self._kept = _nothing(0)
        self._evicted = model.ids.evicted

    def note(self, slots: I32, lists: Lists) -> None:
        """Note what users were given, just after their lists were ranked."""
        self._make_room()
        there = np.arange(FIRST) < lists.length[:, None]
        self._kept.given[slots] = np.where(there, lists.item[:, :FIRST], -1)
        self._kept.free[slots] = self._free(slots)
        self._kept.tag[slots] = self._users.rows.tag[slots]

    def _free(self, slots: I32) -> I32:
        """Return the first that may be shown of what is judged, which knows nothing of floors."""
        rows = self._users.rows
        listed = rows.listed[slots]
        shown = np.arange(listed.shape[1]) < rows.length[slots][:, None]
        shown &= ~self._model.room.hidden[listed]
        first = np.argsort(~shown, axis=1, kind="stable")[:, :FIRST]
        free: I32 = np.take_along_axis(np.where(shown, listed, -1), first, axis=1)
        return free

    def judged(self, slots: I32, items: I32, stored: I32) -> F64:
        """Return how many events counted and how many were hits, of the users and items in slots.

        `stored` says which were judged; items are -1 if they are new.
        """
        if self._evicted != self._model.ids.evicted:  # slots have other items now
            self._evicted, self._kept = self._model.ids.evicted, _nothing(0)
        self._make_room()
        whose, first = np.unique(slots, return_index=True)
        counts = self._kept.tag[whose] == self._users.rows.tag[whose]
        counts &= stored[first] != UNJUDGED
        whose, item = whose[counts], items[first[counts]][:, None]

        def hits(lists: I32) -> int:
            found: Flags = (lists[whose] == item) & (item >= 0)
            return int(found.sum())

        return np.array([len(whose), hits(self._kept.given), hits(self._kept.free)], np.float64)

    def _make_room(self) -> None:
        rows, kept = len(self._users.rows.tag), self._kept
        if rows > len(kept.tag):
            more = _nothing(rows - len(kept.tag))
            self._kept = Kept(
                np.concatenate([kept.given, more.given]),
                np.concatenate([kept.free, more.free]),
                np.concatenate([kept.tag, more.tag]),
            )


def _nothing(users: int) -> Kept:
    lists = np.full((2, users, FIRST), -1, np.int32)
    return Kept(lists[0], lists[1], np.zeros(users, np.int64))
