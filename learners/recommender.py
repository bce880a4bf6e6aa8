"""Recommender: the arrays of one worker's items, and of each partition's users, under one roof.

State that belongs to a partition (`Users`) has one writer; state of the items is shared by all
partitions of a worker. Both are folds of the log: what they hold depends on the events alone.
"""

from typing import Any, NamedTuple

import numpy as np

from learners import arrays
from learners.arrays import F64, I32, I64, Flags
from learners.counts import rebuild
from learners.forget import forget_in_users, forget_items
from learners.ids import Ids
from learners.pairs import REACH, similar
from learners.rank import Rules
from learners.step import Columns, Lists, Verdicts, step

FIRST_ROWS = 1024
SWEEP_SHARE = 16  # a full map of items lets this part of it go at once


class Shape(NamedTuple):
    """How much is remembered, and how long the lists are."""

    items: int = 200_000
    users: int = 200_000
    history: int = 20
    neighbours: int = 32
    length: int = 20


class Events(NamedTuple):
    """A batch of events of one partition in order, as names."""

    user: list[str]
    item: list[str]
    ts: F64
    fresh: Flags
    version: I64

    def after(self, count: int) -> "Events":
        """Return the events behind the first `count`."""
        return Events._make(column[count:] for column in self)


class Learned(NamedTuple):
    """What events left: verdicts per event, and the last list of each user in them."""

    verdicts: Verdicts
    lists: Lists
    user: I32  # (events,) slots
    dirty: I32  # items whose neighbours changed since they were last published


class Users:
    """The users of one partition."""

    def __init__(self, shape: Shape) -> None:
        self.ids = Ids(shape.users)
        self.history = shape.history
        self.rows = arrays.user_rows(min(FIRST_ROWS, shape.users), self.history)

    def make_room(self) -> None:
        """Have a row for every slot in use."""
        rows = arrays.room_for(len(self.rows.chosen), len(self.ids.names))
        if rows > len(self.rows.chosen):
            self.rows = arrays.grown(self.rows, arrays.user_rows(rows, self.history))


class Recommender:
    """The items of one worker, and the kernels' way to them."""

    def __init__(self, shape: Shape, rules: Rules) -> None:
        self.shape, self.rules = shape, rules
        self.ids = Ids(shape.items)
        self.trend = arrays.trend()
        self.partitions: list[Users] = []
        self.depth = max(shape.length, arrays.JUDGED)
        self._allocate(min(FIRST_ROWS, shape.items))

    def _allocate(self, rows: int) -> None:
        self.rows = arrays.item_rows(rows, self.shape.neighbours)
        self._room(rows)

    def _room(self, rows: int) -> None:
        self.room = arrays.scratch(rows, REACH * self.shape.neighbours, self.depth)

    def open(self) -> Users:
        """Return the users of one more partition."""
        users = Users(self.shape)
        self.partitions.append(users)
        return users

    def close(self, users: Users) -> None:
        """Let a partition's users go."""
        self.partitions.remove(users)

    def learn(self, users: Users, events: Events, learn_items: bool = True) -> Learned:
        """Judge, learn and rank events in order, as many as there is room for their items.

        At least the first one; `len(learned.user)` says how many. Come again with the rest
        when the lists are rendered: then items are let go, and their slots get other names.
        With `learn_items` False only the users learn: the items already know these events.
        """
        items = self._admit(events.item) if learn_items else self.ids.find_all(events.item)
        taken = len(items)
        names = events.user[:taken]
        slots, newcomers = users.ids.map_in_turn(names)
        users.make_room()
        last = _last_of_each(names)
        verdicts, lists = _room_for_answers(taken, int(last.sum()), self.depth)
        columns = Columns(
            slots, newcomers, items, events.ts[:taken], events.fresh[:taken], last,
        )  # fmt: skip
        _, changed = step(
            self.rows, self.trend, users.rows, self.rules, self.room, columns, learn_items,
            verdicts, lists,
        )  # fmt: skip
        return Learned(verdicts, lists, slots, self.room.dirty[:changed].copy())

    def _admit(self, names: list[str]) -> I32:
        """Return the slots of the first items; if not even one has room, let old ones go."""
        items = self.ids.map_while_room(names)
        if names and not len(items):
            self._sweep()
            items = self.ids.map_while_room(names)
        self.make_room()
        return items

    def similar(self, items: I32, length: int) -> tuple[I32, F64, I32]:
        """Return what goes with each item, best first: (items, length) slots, scores; sizes."""
        found = np.empty((len(items), length), np.int32)
        score, size = np.empty((len(items), length)), np.empty(len(items), np.int32)
        age = self.trend.clock[1] - self.trend.clock[2]
        scale = 2.0 ** (age / self.rules.pair_half_life) if np.isfinite(age) else 1.0
        similar(self.rows, items, scale, found, score, size)
        return found, score, size

    def trending(self, length: int) -> tuple[I32, F64]:
        """Return the most popular items, best first, and their share of the best one's weight."""
        top = self.trend.top[: min(length, int(self.trend.size[0]))]
        weight = self.rows.weight[top]
        return top.copy(), weight / max(weight.max(initial=0.0), 1e-300)

    def make_room(self) -> None:
        """Have a row for every slot in use."""
        rows = arrays.room_for(len(self.rows.seen), len(self.ids.names))
        if rows > len(self.rows.seen):
            self.rows = arrays.grown(self.rows, arrays.item_rows(rows, self.shape.neighbours))
            self._room(rows)

    def _sweep(self) -> None:
        """Let the least recently chosen items go, all at once: nobody may name them afterwards."""
        gone = np.zeros(len(self.rows.seen), np.bool_)
        gone[self.ids.drop(self.ids.oldest(max(1, self.ids.capacity // SWEEP_SHARE)))] = True
        forget_items(self.rows, gone)
        self.rows.dirty[gone] = False
        rebuild(self.rows, self.trend)
        for users in self.partitions:
            forget_in_users(users.rows, gone)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the room to work in: it changes with every answer and says nothing."""
        return {name: value for name, value in self.__dict__.items() if name != "room"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Have room to work in again."""
        self.__dict__.update(state)
        self._room(len(self.rows.seen))


def _last_of_each(users: list[str]) -> Flags:
    """Mark each user's last event; by name, for a slot may change hands within a batch."""
    last = np.zeros(len(users), np.bool_)
    last[list({user: k for k, user in enumerate(users)}.values())] = True
    return last


def _room_for_answers(events: int, lists: int, depth: int) -> tuple[Verdicts, Lists]:
    position = np.empty((3, events), np.int32)
    verdicts = Verdicts(position[0], position[1], position[2], np.empty(events, np.bool_))
    return verdicts, Lists(
        event=np.empty(lists, np.int32),
        item=np.full((lists, depth), -1, np.int32),
        score=np.empty((lists, depth), np.float32),
        because=np.empty((lists, depth), np.int32),
        length=np.zeros(lists, np.int32),
    )
