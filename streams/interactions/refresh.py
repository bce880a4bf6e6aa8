"""Refresh: lists that wait grow old while the world moves on, and are ranked anew.

A list made at its user's last event loses a quarter of its hits where trends decide, and nothing
where the user's own items do. Age is counted in the time of events: where nothing happens no list
grows old. What is learned is not touched, only the lists that wait.
"""

import numpy as np

from contracts.settings import Settings
from learners.arrays import I32, Flags
from learners.recommender import Recommender
from learners.users import Users

SLICE = 50  # lists at a time, some 2 ms
LOOK_EVENTS = 1_000  # events of the partition after which old lists are looked for again


class OldLists:
    """Which users' lists of one partition are to be ranked anew.

    Those that were asked for come first, then the old ones, likeliest returners before others.
    """

    def __init__(self, settings: Settings, model: Recommender, users: Users) -> None:
        self._after, self._age = settings.refresh_after_s, settings.list_age_s
        self._model, self._users = model, users
        self._waiting: I32 = np.empty(0, np.int32)
        self._asked: I32 = np.empty(0, np.int32)
        self._under_way: I32 = np.empty(0, np.int32)
        self._looked = -LOOK_EVENTS

    def ask(self, slots: I32) -> None:
        """Have these users' lists ranked anew before all others, whatever their age."""
        self._asked = np.union1d(self._asked, slots).astype(np.int32)

    def next(self, learned: int) -> I32:
        """Return the next users' slots, none where no list is old.

        `learned` is how many events the partition has learned: a list that has seen all of them
        keeps its version and is not made again.
        """
        self.ask(self._under_way)  # they did not reach Redis
        self._under_way = self._next(learned)
        return self._under_way

    def published(self) -> None:
        """Know that the lists of the users that `next` gave stand in Redis."""
        self._under_way = self._under_way[:0]

    def _next(self, learned: int) -> I32:
        if len(self._asked):
            asked, self._asked = self._asked[:SLICE], self._asked[SLICE:]
            waits: I32 = asked[self._waits(asked)]
            return waits
        if not len(self._waiting) and learned - self._looked >= LOOK_EVENTS:
            self._looked = learned
            self._waiting = self._old(learned)
        some, self._waiting = self._waiting[:SLICE], self._waiting[SLICE:]
        old: I32 = some[self._is_old(some, learned)]
        return old

    def _old(self, learned: int) -> I32:
        slots = np.arange(len(self._users.ids.names), dtype=np.int32)
        old: I32 = slots[self._is_old(slots, learned)]
        # Who was here last is likeliest to return.
        ordered: I32 = old[np.argsort(-self._users.rows.when[old, 0], kind="stable")]
        return ordered

    def _is_old(self, slots: I32, learned: int) -> Flags:
        rows, now = self._users.rows, self._model.latest
        aged = (rows.made[slots] < now - self._after) & (rows.version[slots] < learned)
        old: Flags = self._waits(slots) & aged & (rows.when[slots, 0] > now - self._age)
        return old

    def _waits(self, slots: I32) -> Flags:
        waits: Flags = (self._users.rows.length[slots] > 0) & (self._users.rows.chosen[slots] > 0)
        return waits
