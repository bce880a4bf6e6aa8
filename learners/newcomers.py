"""Newcomers: what a catalogue says of items finds its way to their slots.

An item that nobody has chosen has no slot of its own; the newest of them are lent reserved ones, in
turn. What is learned knows nothing of these slots: an item that is chosen gets one of its own, as
if it had never been lent another, and lists that hold the lent one are still found to hold it.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from learners.arrays import Flags, UserRows, World
from learners.attributes import FEATURES, Described
from learners.forget import forget_in_users
from learners.ids import Ids
from learners.seen import Pages
from learners.shelves import RARE, describe_as, forget_features, rename, shelves, with_rows

TURNS = 4  # slots are taken back a quarter at a time: each time all users' lists are looked at
WHO = "content"


class OfUsers(Protocol):
    """The users of one partition."""

    @property
    def rows(self) -> UserRows: ...  # noqa: D102
    @property
    def pages(self) -> Pages: ...  # noqa: D102


class Newcomers:
    """Lends slots; `follow` is to be called after items got slots and before events are learned."""

    def __init__(self, reserved: int, described: Described | None) -> None:
        """`described` outlives a model; without `reserved` slots nothing is done with them."""
        self.size = reserved
        if described is None or not reserved:
            described = Described(FEATURES if reserved else 0)
        self._described = described
        self._begun = False
        self.content = shelves(reserved, described.often)

    def follow(self, ids: Ids, world: World, partitions: Sequence[OfUsers]) -> list[str]:
        """Have the slots know what was told, and newcomers have slots; return these."""
        if not self.size:
            return []
        for slot in ids.follow(WHO):
            self._arrived(ids, world, slot)
        told = self._told(ids)
        new = list[str]()
        for name, slot in zip(told, ids.find_shown(told).tolist(), strict=True):
            if slot >= 0:
                self._describe(world, slot, name)
            elif name in self._described.rows:
                new.append(name)
        for name in new[-self.size :]:
            self._lend(ids, world, partitions, name)
        return new[-self.size :]

    def _told(self, ids: Ids) -> list[str]:
        """Return whose attributes changed; at first those who were lent a slot, and who came later.

        What has a slot of its own then has arrived.
        """
        self.content.told[0] = len(self._described)
        if self._begun or not len(self._described):
            return self._described.news() if self._described.changed else []
        self._begun, later = True, list[str]()
        self._described.news()
        for name in reversed(self._described.rows):
            if name in ids.lent or len(later) == self.size:
                break
            later += [] if name in ids else [name]
        return [*ids.lent, *reversed(later)]

    def _arrived(self, ids: Ids, world: World, slot: int) -> None:
        """Note that a slot has another item now: one that was lent a slot keeps its places."""
        name = ids.names[slot]
        if slot < self.size or not name:
            return
        old = ids.lent.pop(name, -1)
        if old < 0:
            self._describe(world, slot, name)
            return
        rename(self.content, old, slot)
        world.tried.lists[slot] = world.tried.lists[old]

    def _describe(self, world: World, slot: int, name: str) -> None:
        now = self._described.of(name)
        if not np.array_equal(self.content.feature[slot], now):
            shown = slot < self.size or 0 < world.items.seen[slot] < RARE
            describe_as(self.content, slot, now, shown)

    def _lend(self, ids: Ids, world: World, partitions: Sequence[OfUsers], name: str) -> None:
        slot, turn = ids.given % self.size, self.size // TURNS
        if slot % turn == 0 and ids.given >= self.size:
            gone = np.zeros(len(world.items.seen), np.bool_)
            gone[slot : min(slot + turn, self.size)] = True
            self.forget(world, gone)
            for users in partitions:
                forget_in_users(users.rows, users.pages, gone)
            for old in np.flatnonzero(gone).tolist():
                ids.lend(old, "")
        ids.lend(slot, name)
        self._describe(world, slot, name)

    def forget(self, world: World, gone: Flags) -> None:
        """Know nothing of what is in these slots, and of nobody that it was there before."""
        if self.size:
            forget_features(self.content, gone)
            self.content.born[gone[self.content.born] & (self.content.born >= 0)] = -1
            world.tried.lists[gone] = 0

    def grow(self, rows: int) -> None:
        """Have room for what is said of more items."""
        if self.size and rows > len(self.content.born):
            self.content = with_rows(self.content, rows)
