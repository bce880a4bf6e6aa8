"""What groups of items and users get of the lists of a worker's partitions.

Nothing of it is learned or saved: after a restart the figures begin anew.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from contracts.groups import FIRST
from learners import groups
from learners.arrays import F64, I32, I64, long_enough
from learners.batches import Events, Learned
from learners.given import Lists
from learners.groups import COLUMNS, VALUES, Window
from learners.recommender import Recommender
from learners.step import UNJUDGED
from learners.users import Users
from streams.interactions.floored import Floored
from streams.interactions.members import Members
from streams.interactions.publishing import Publishing
from streams.interactions.show_groups import Figure, Shown, figures
from streams.shards import Telemetry

NO_SLOTS = np.empty(0, np.int32)
NO_NUMBERS = np.empty(0)


class Before(NamedTuple):
    """What was known of the items of events before they were learned."""

    slot: I32  # -1 for new ones
    popularity: F64  # part of all choices


class GroupFigures:
    """Counts batches by groups; `look` takes over what was told of items."""

    def __init__(
        self, items: Members, people: Members, model: Recommender, publishing: Publishing
    ) -> None:
        self._items, self._people = items, people
        self._model, self._publishing = model, publishing
        self._kind = np.zeros(0, np.int32)  # of the item in each slot
        self._window = Window(len(items.groups) + len(people.groups), VALUES, COLUMNS)
        self._floored, self._shown = Floored(items, model), Shown()
        self._on = bool(items.groups or people.groups)
        if items.groups:
            publishing.renamed.append(self._renamed)

    def before(self, items: Sequence[str]) -> Before:
        """Return what is known of items, before events with them are learned."""
        if not self._on:
            return Before(NO_SLOTS, NO_NUMBERS)
        slots = self._model.ids.find_all(items)
        return Before(slots, self._popularity(slots))

    def add(self, users: Users, events: Events, learned: Learned, before: Before) -> None:
        """Count a batch that was learned and whose lists were given."""
        if not self._on:
            return
        self._floored.judge(users, learned, before.slot)
        self.given(users, learned.user[learned.lists.event], learned.lists)
        self._window.add(*self._counts(events, learned, before))

    def given(self, users: Users, slots: I32, lists: Lists) -> None:
        """Note lists that users were given."""
        self._floored.given(users, slots, lists)

    def _counts(self, events: Events, learned: Learned, before: Before) -> tuple[F64, int]:
        """Return the counts of all groupings, and of how many events they are."""
        lists, stored = learned.lists, learned.verdicts.stored
        judged = np.flatnonzero(stored != UNJUDGED)
        hit = (stored[judged] >= 0) & (stored[judged] < FIRST)
        there = np.arange(FIRST) < lists.length[:, None]
        listed = lists.item[:, :FIRST][there]
        popularity = self._popularity(listed)
        counts = [
            groups.tally_events(value[judged], hit, before.popularity[judged])
            + groups.tally_places(place, popularity)
            for value, place in self._values(events, listed, lists.event, there.sum(axis=1))
        ]
        return np.array(counts), len(judged)

    def _values(
        self, events: Events, listed: I32, event: I32, length: I64
    ) -> Iterator[tuple[I32, I32]]:
        """Yield of each grouping the values of events, and of the places of their lists."""
        kinds = self._items.kinds(events.item) if self._items.groups else NO_SLOTS
        for number in self._items.numbers():
            yield number[kinds], number[self._kind[listed]]
        kinds = self._people.kinds(events.user) if self._people.groups else NO_SLOTS
        for number in self._people.numbers():
            yield number[kinds], np.repeat(number[kinds[event]], length)

    def look(self) -> None:
        """Take over what was told of items."""
        if not self._on:
            return
        self._people.news()
        self._publishing.follow_names(self._model)
        slots = self._model.ids.find_all(self._items.news())
        self._renamed(slots[slots >= 0].tolist())
        self._floored.look()

    def show(self, telemetry: Telemetry) -> None:
        """Set the gauges."""
        if self._on:
            self._shown.show(telemetry, self._figures())

    def _figures(self) -> Iterator[Figure]:
        counts = iter(self._window.counts())
        for members in (self._items, self._people):
            for number, (name, group) in enumerate(members.groups.items()):
                values = members.values(number)
                yield from figures(name, values, next(counts), group.least, group.of == "items")
        yield from self._floored.figures()

    def _renamed(self, slots: Sequence[int]) -> None:
        """Know that these slots have other items, or items of which something else was told."""
        self._kind = long_enough(self._kind, len(self._model.world.items.seen))
        self._floored.go_by(self._kind)
        names, kind = self._model.ids.names, self._items.of.get
        self._kind[np.asarray(slots, np.int64)] = [kind(names[slot], 0) for slot in slots]

    def _popularity(self, slots: I32) -> F64:
        """Return the part of all choices lately, by the baseline, that items have."""
        trend, baseline = self._model.world.trend, self._model.rules.baseline
        weight = np.where(slots < 0, 0.0, self._model.world.items.weight[slots, baseline])
        part: F64 = weight / max(trend.total[baseline], 1e-300)
        return part
