"""Still: a copy of a recommender's state that no later event changes, to be written in peace.

A worker copies between two batches and lets another thread make bytes of it with `frozen`. Every
copy is written over the one before: into fresh memory, which the system hands out page by page,
20,000 users and 5,000 items took 20 to 40 ms, in which no event was answered.
"""

from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from learners.arrays import (
    Head,
    ItemRows,
    SegmentRows,
    Sessions,
    Trend,
    Tried,
    UserRows,
    Watch,
    World,
)
from learners.ids import Ids
from learners.recommender import Recommender
from learners.seen import Pages
from learners.users import Users

Rows = TypeVar("Rows", ItemRows, UserRows, Trend, Sessions, Head, Watch, SegmentRows, Tried, Pages)


class StillIds(Ids):
    """Names and slots as they stood; nothing is to be admitted."""

    def __init__(self, ids: Ids) -> None:
        super().__init__(ids.capacity, ids.reserved)
        self.names, self.evicted = list(ids.names), ids.evicted
        self.given = ids.given
        self._order, self._free = ids.order(), ids.free

    def dump(self) -> tuple[list[str], list[int], int, list[int]]:
        """Return what `Ids.dump` gave then."""
        return [self.names[slot] for slot in self._order], self._order, self.evicted, self.free


class Stills:
    """Takes copies, each of them good until the next one is taken."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[Any]] = {}

    def items(self, model: Recommender) -> tuple[World, Ids]:
        """Return a copy for `frozen.dump_items`."""
        ids, world = StillIds(model.ids), model.world
        return (
            World(
                self._rows("items", world.items, len(ids.names)),
                self._rows("trend", world.trend, None),
                self._rows("sessions", world.sessions, None),
                self._rows("head", world.head, None),
                self._rows("watch", world.watch, None),
                self._rows("segments", world.segments, None),
                self._rows("tried", world.tried, len(ids.names)),
            ),
            ids,
        )

    def users(self, users: Users) -> Users:
        """Return a copy for `frozen.dump_users`."""
        made = copy(users)
        made.ids = StillIds(users.ids)
        made.rows = self._rows("users", users.rows, len(made.ids.names))
        made.pages = self._rows("pages", users.pages, None)
        return made

    def _rows(self, name: str, rows: Rows, used: int | None) -> Rows:
        copies = {f: self._array(f"{name}.{f}", a, used) for f, a in rows._asdict().items()}
        return rows._replace(**copies)

    def _array(self, name: str, array: NDArray[Any], used: int | None) -> NDArray[Any]:
        kept = self._memory.get(name)
        if kept is None or kept.shape != array.shape:
            kept = self._memory[name] = np.empty_like(array)
        np.copyto(kept[:used], array[:used])
        return kept[:used]
