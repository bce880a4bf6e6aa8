"""Batches: events of one partition as they are learned, and what they leave."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from learners.arrays import F64, I32, I64, Flags
from learners.given import Lists
from learners.step import Verdicts


class Events(NamedTuple):
    """A batch of events of one partition in order, as names."""

    user: list[str]
    item: list[str]
    ts: F64
    weight: F64
    barred: Flags
    fresh: Flags
    version: I64
    context: Sequence[Mapping[str, Any] | None] = ()  # as events say it; empty: none says any

    @classmethod
    def choices(
        cls,
        user: Sequence[str],
        item: Sequence[str],
        ts: Sequence[float],
        fresh: bool = True,
        barred: bool = False,
        first_version: int = 1,
    ) -> "Events":
        """Return plain choices, each of weight 1; the flags hold for all of them."""
        n = len(user)
        return cls(
            list(user), list(item), np.array(ts), np.ones(n), np.full(n, barred),
            np.full(n, fresh), np.arange(first_version, first_version + n),
        )  # fmt: skip

    def first(self, count: int) -> "Events":
        """Return the first `count` events."""
        return Events._make(column[:count] for column in self)

    def after(self, count: int) -> "Events":
        """Return the events behind the first `count`."""
        return Events._make(column[count:] for column in self)


class Learned(NamedTuple):
    """What events left: verdicts per event, and the last list of each user in them."""

    verdicts: Verdicts
    lists: Lists
    user: I32  # (events,) slots
    dirty: I32  # items whose neighbours changed since they were last published


def room_for_verdicts(events: int) -> Verdicts:
    """Return room for the verdicts on so many events."""
    position, flag = np.empty((3, events), np.int32), np.zeros((2, events), np.bool_)
    turn = np.zeros((events, 2), np.float32)
    return Verdicts(position[0], position[1], position[2], flag[0], flag[1], turn)


def room_for_lists(lists: int, depth: int) -> Lists:
    """Return room for so many lists."""
    return Lists(
        event=np.empty(lists, np.int32),
        item=np.full((lists, depth), -1, np.int32),
        score=np.empty((lists, depth), np.float32),
        why=np.zeros((lists, depth), np.int32),
        via=np.full((lists, depth), -1, np.int32),
        length=np.zeros(lists, np.int32),
        odds=np.zeros((lists, depth), np.float32),
    )


def last_of_each(users: list[str]) -> Flags:
    """Mark each user's last event; by name, for a slot may change hands within a batch."""
    last = np.zeros(len(users), np.bool_)
    last[list({user: k for k, user in enumerate(users)}.values())] = True
    return last
