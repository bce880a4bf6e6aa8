"""Asked: whose lists of which scenarios are made, because somebody has looked for them.

Such a list is made anew with each of its user's events until it ages; who looks for it then finds
nothing once, and has asked again. This is no state of the learners: it is kept beside the answers.
"""

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from contracts.scenarios import Scenario
from learners.arrays import F64, I32, I64, Flags
from learners.users import Users
from state.misses import Wanted


class Asked:
    """The lists that are wanted of the users of one partition; scenarios by number."""

    def __init__(
        self,
        scenarios: Mapping[str, Scenario],
        users: Users,
        always_age_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._number = {name: n for n, name in enumerate(scenarios)}
        self._always = np.array([s.made == "always" for s in scenarios.values()], np.bool_)
        self._users, self._clock = users, clock
        self._always_age = always_age_s
        self._until: F64 = np.zeros((0, len(scenarios)))
        self._tag: I64 = np.zeros(0, np.int64)  # whose row it is: slots change hands

    def note(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        """Note what was looked for; return what of it is known here."""
        taken = list[Wanted]()
        for one in wanted:
            slot, number = self._users.ids.find(one.user), self._number.get(one.scenario)
            if slot >= 0 and number is not None:
                row = self._row(slot)
                row[number] = max(row[number], self._clock() + one.left_s)
                taken.append(one)
        return taken

    def wanted(self, slots: I32) -> Flags:
        """Return, (slots, scenarios), which lists are to be made."""
        found = np.zeros((len(slots), len(self._always)), np.bool_)
        there = np.flatnonzero(slots < len(self._tag))
        there = there[self._tag[slots[there]] == self._users.rows.tag[slots[there]]]
        found[there] = self._until[slots[there]] > self._clock()
        return found | self._always

    def all_wanted(self) -> tuple[I32, I32]:
        """Return slots and scenarios of all lists that may stand in Redis."""
        everybody = np.arange(len(self._users.ids.names), dtype=np.int32)
        slot, number = np.nonzero(self.wanted(everybody))
        return slot.astype(np.int32), number.astype(np.int32)

    def left_s(self, slots: I32, numbers: I32) -> I64:
        """Return after how many seconds each of these lists, which are wanted, leaves Redis."""
        left = np.full(len(slots), self._always_age)
        asked = ~self._always[numbers]
        left[asked] = self._until[slots[asked], numbers[asked]] - self._clock()
        seconds: I64 = np.maximum(np.ceil(left), 1.0).astype(np.int64)
        return seconds

    def _row(self, slot: int) -> F64:
        rows = len(self._users.rows.tag)
        if rows > len(self._tag):
            more = rows - len(self._tag)
            self._until = np.concatenate([self._until, np.zeros((more, len(self._always)))])
            self._tag = np.concatenate([self._tag, np.zeros(more, np.int64)])
        if self._tag[slot] != self._users.rows.tag[slot]:
            self._tag[slot] = self._users.rows.tag[slot]
            self._until[slot] = 0.0
        row: F64 = self._until[slot]
        return row
