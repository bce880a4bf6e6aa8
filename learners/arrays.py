"""The flat arrays that the kernels work on. Rows are slots; -1 means nobody.

Every array of `ItemRows` and `UserRows` has one row per slot and grows by doubling, so neither
the first event nor the millionth pays for a catalogue that is not there.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

JUDGED = 20  # a hit below this position counts for nothing
TRENDING = 96  # items whose order by popularity is always known


class ItemRows(NamedTuple):
    """What is known of each item; shared by all partitions of a worker.

    Weights are forward-decayed: an event at time t adds 2^((t - origin) / half-life), so that
    sums need no touching as time passes and stay sums.
    """

    weight: F64  # (items,) decayed count of choices
    seen: I64  # (items,) plain count of choices
    near: I32  # (items, neighbours) what goes with it
    near_weight: F64  # (items, neighbours)
    near_size: I32  # (items,)
    dirty: Flags  # (items,) its neighbours changed since they were last published


class Trend(NamedTuple):
    """What is known of all items together."""

    top: I32  # (TRENDING,) most popular first
    size: I64  # (1,)
    clock: F64  # (3,) origin of weight, origin of near_weight, latest event


class UserRows(NamedTuple):
    """What is known of each user of one partition."""

    history: I32  # (users, history) last items, newest first
    chosen: I32  # (users,) how many of them
    listed: I32  # (users, JUDGED) the last list as far as it is judged, best first
    length: I32  # (users,) items in the list


class Scratch(NamedTuple):
    """Room to work in; holds nothing between two events."""

    mass: F64  # (items,) co-occurrence with the user's items
    share: F64  # (items,) the largest single contribution
    via: I32  # (items,) the user's item that made it
    touched: I32  # (reach * neighbours,)
    dirty: I32  # (items,) items that became dirty in this batch
    item: I32  # (depth,)
    score: F32  # (depth,)
    because: I32  # (depth,)


Rows = TypeVar("Rows", ItemRows, UserRows)


def item_rows(rows: int, neighbours: int) -> ItemRows:
    """Return rows that know nothing yet."""
    return ItemRows(
        weight=np.zeros(rows),
        seen=np.zeros(rows, np.int64),
        near=np.full((rows, neighbours), -1, np.int32),
        near_weight=np.zeros((rows, neighbours)),
        near_size=np.zeros(rows, np.int32),
        dirty=np.zeros(rows, np.bool_),
    )


def user_rows(rows: int, history: int) -> UserRows:
    """Return rows that know nothing yet."""
    return UserRows(
        history=np.full((rows, history), -1, np.int32),
        chosen=np.zeros(rows, np.int32),
        listed=np.full((rows, JUDGED), -1, np.int32),
        length=np.zeros(rows, np.int32),
    )


def trend() -> Trend:
    """Return a world in which nothing has happened."""
    return Trend(
        np.full(TRENDING, -1, np.int32),
        np.zeros(1, np.int64),
        np.array([np.nan, np.nan, -np.inf]),
    )


def scratch(rows: int, touched: int, depth: int) -> Scratch:
    """Return room to work in for `rows` items."""
    return Scratch(
        mass=np.zeros(rows),
        share=np.zeros(rows),
        via=np.full(rows, -1, np.int32),
        touched=np.empty(touched, np.int32),
        dirty=np.empty(rows, np.int32),
        item=np.empty(depth, np.int32),
        score=np.empty(depth, np.float32),
        because=np.empty(depth, np.int32),
    )


def grown(rows: Rows, empty: Rows) -> Rows:
    """Return `empty`, which has more rows, with the contents of `rows` at its beginning."""
    for field in rows._fields:
        old = getattr(rows, field)
        getattr(empty, field)[: len(old)] = old
    return empty


def room_for(rows: int, needed: int) -> int:
    """Return how many rows to have when `needed` are used: doubled until they suffice.

    >>> room_for(1024, 1025)
    2048
    """
    while rows < needed:
        rows *= 2
    return rows
