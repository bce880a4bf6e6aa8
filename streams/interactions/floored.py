"""Floors of a worker: asked of the recommender by kinds of items, and what they cost counted."""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np

from contracts import metrics
from learners.arrays import I32, TRENDING
from learners.batches import Learned
from learners.floors import floors
from learners.given import Lists
from learners.groups import Window
from learners.recommender import Recommender
from learners.users import Users
from streams.interactions import floor_price
from streams.interactions.floor_price import EVENTS, FREE, GIVEN, FloorPrice
from streams.interactions.members import Members
from streams.interactions.show_groups import Figure


class Floored:
    """Does nothing where no group has a floor."""

    def __init__(self, items: Members, model: Recommender) -> None:
        self._items, self._model = items, model
        count = sum(len(group.floors) for group in items.groups.values())
        self._on = count > 0
        self._reserve = np.full((count, TRENDING), -1, np.int32)  # of each floor
        self._window = Window(floor_price.FIELDS)
        self._prices = WeakKeyDictionary[Users, FloorPrice]()

    def go_by(self, kind: I32) -> None:
        """Go by the kinds of items in slots; no item may be of one that floors do not know."""
        asked = self._model.floors
        known = asked.kind is kind and asked.member.shape[1] == self._items.count
        if self._on and not known:
            self._model.keep(floors(*self._items.floors(), kind, self._reserve))

    def look(self) -> None:
        """Have what is popular in each group at hand; that takes some ns for each item."""
        items, baseline = self._model.world.items, self._model.rules.baseline
        asked = self._model.floors
        for member, reserve in zip(asked.member, self._reserve, strict=True):
            slots = np.flatnonzero(member[asked.kind] & (items.seen[: len(asked.kind)] > 0))
            order = np.argsort(-items.weight[slots, baseline], kind="stable")[:TRENDING]
            reserve[:] = -1
            reserve[: len(order)] = slots[order]

    def judge(self, users: Users, learned: Learned, items: I32) -> None:
        """Judge what users were given before, by events with items in these slots."""
        if self._on:
            stored = learned.verdicts.stored
            counts = self._price_of(users).judged(learned.user, items[: len(stored)], stored)
            self._window.add(counts, int(counts[EVENTS]))

    def given(self, users: Users, slots: I32, lists: Lists) -> None:
        """Note lists that users were given."""
        if self._on:
            self._price_of(users).note(slots, lists)

    def figures(self) -> Iterator[Figure]:
        """Yield the hit rates with floors and without."""
        counts = self._window.counts()
        for list_, hits in (("given", GIVEN), ("free", FREE)):
            if counts[EVENTS]:
                yield metrics.FLOOR_HITS, (("list", list_),), float(counts[hits] / counts[EVENTS])

    def _price_of(self, users: Users) -> FloorPrice:
        if users not in self._prices:
            self._prices[users] = FloorPrice(self._model, users)
        return self._prices[users]
