"""What groups of items and users get of the lists of a worker's partitions, as gauges.

Nothing of it is learned or saved: after a restart the figures begin anew.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from contracts import metrics
from contracts.groups import FIRST
from contracts.metrics import Metric
from learners import groups
from learners.arrays import F64, I32, I64, TRENDING
from learners.batches import Events, Learned
from learners.floors import floors
from learners.given import Lists
from learners.groups import CHOSEN, COLUMNS, EVENTS, HITS, LISTED, PLACES, VALUES, Window
from learners.recommender import Recommender, Users
from learners.step import UNJUDGED
from streams.interactions import floor_price
from streams.interactions.floor_price import FloorPrice
from streams.interactions.members import Members
from streams.interactions.publishing import Publishing
from streams.shards import Telemetry

Labels = tuple[tuple[str, str], ...]
Figure = tuple[Metric, Labels, float]
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
        count = sum(len(group.floors) for group in items.groups.values())
        self._floored = count > 0
        self._reserve = np.full((count, TRENDING), -1, np.int32)  # of each floor
        self._price, self._prices = (
            Window(floor_price.FIELDS),
            WeakKeyDictionary[Users, FloorPrice](),
        )
        self._shown: set[tuple[Metric, Labels]] = set()
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
        if self._floored:
            paid = self._price_of(users).judged(
                learned.user, before.slot[: len(learned.user)], learned.verdicts.stored
            )
            self._price.add(paid, int(paid[floor_price.EVENTS]))
            self.given(users, learned.user[learned.lists.event], learned.lists)
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
        self._window.add(np.array(counts), len(judged))

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

    def given(self, users: Users, slots: I32, lists: Lists) -> None:
        """Note lists that users were given."""
        if self._floored:
            self._price_of(users).note(slots, lists)

    def _price_of(self, users: Users) -> FloorPrice:
        if users not in self._prices:
            self._prices[users] = FloorPrice(self._model, users)
        return self._prices[users]

    def look(self) -> None:
        """Take over what was told of items."""
        if not self._on:
            return
        self._people.news()
        self._publishing.follow_names(self._model)
        names = [name for name in self._items.news() if name in self._model.ids]
        self._renamed([self._model.ids.find(name) for name in names])
        self._look_for_popular()

    def show(self, telemetry: Telemetry) -> None:
        """Set the gauges, and those no longer of which there is nothing to say."""
        if not self._on:
            return
        shown = set[tuple[Metric, Labels]]()
        for metric, labels, value in self._figures():
            telemetry.set(metric, value, **dict(labels))
            shown.add((metric, labels))
        for metric, labels in self._shown - shown:
            telemetry.forget(metric, **dict(labels))
        self._shown = shown

    def _figures(self) -> Iterator[Figure]:
        counts = iter(self._window.counts())
        for members in (self._items, self._people):
            for number, (name, group) in enumerate(members.groups.items()):
                values = members.values(number)
                yield from figures(name, values, next(counts), group.least, group.of == "items")
        paid = self._price.counts()
        if whole := paid[floor_price.EVENTS]:
            yield metrics.FLOOR_HITS, (("list", "given"),), float(paid[floor_price.GIVEN] / whole)
            yield metrics.FLOOR_HITS, (("list", "free"),), float(paid[floor_price.FREE] / whole)

    def _renamed(self, slots: Sequence[int]) -> None:
        """Know that these slots have other items, or items of which something else was told."""
        rows = len(self._model.world.items.seen)
        if rows > len(self._kind):
            more = np.zeros(rows - len(self._kind), np.int32)
            self._kind = np.concatenate([self._kind, more])
        self._ask_for_floors()
        names, kind = self._model.ids.names, self._items.of.get
        self._kind[np.asarray(slots, np.int64)] = [kind(names[slot], 0) for slot in slots]

    def _ask_for_floors(self) -> None:
        """Have floors kept; no item may be of a kind that they do not know."""
        asked = self._model.floors
        known = asked.kind is self._kind and asked.member.shape[1] == self._items.count
        if self._floored and not known:
            self._model.keep(floors(*self._items.floors(), self._kind, self._reserve))

    def _look_for_popular(self) -> None:
        """Have what is popular in each group that has a floor at hand; some ns for each item."""
        items, baseline = self._model.world.items, self._model.rules.baseline
        for member, reserve in zip(self._model.floors.member, self._reserve, strict=True):
            slots = np.flatnonzero(member[self._kind] & (items.seen[: len(self._kind)] > 0))
            order = np.argsort(-items.weight[slots, baseline], kind="stable")[:TRENDING]
            reserve[:] = -1
            reserve[: len(order)] = slots[order]

    def _popularity(self, slots: I32) -> F64:
        """Return the part of all choices lately, by the baseline, that items have."""
        trend, baseline = self._model.world.trend, self._model.rules.baseline
        weight = np.where(slots < 0, 0.0, self._model.world.items.weight[slots, baseline])
        part: F64 = weight / max(trend.total[baseline], 1e-300)
        return part


def figures(
    name: str, values: Sequence[str], counts: F64, least: float, items: bool
) -> Iterator[Figure]:
    """Yield the figures of one grouping; of who had no event or no place there is none."""
    low, high = groups.interval(counts[:, HITS], counts[:, EVENTS])
    hits, places = groups.short_of_hits(counts, least), groups.short_of_places(counts, least)
    all_places, all_events = counts[:, PLACES].sum(), counts[:, EVENTS].sum()
    for number, value in enumerate(values):
        row, labels = counts[number], (("grouping", name), ("group", value))
        if row[EVENTS]:
            bounds = {"mean": row[HITS] / row[EVENTS], "low": low[number], "high": high[number]}
            for bound, share in bounds.items():
                yield metrics.GROUP_HITS, (*labels, ("bound", bound)), float(share)
            yield metrics.GROUP_SHORT, (*labels, ("what", "hits")), float(hits[number])
            if row[PLACES] and row[CHOSEN]:
                ratio = row[LISTED] / row[PLACES] / (row[CHOSEN] / row[EVENTS])
                yield metrics.GROUP_POPULARITY, labels, float(ratio)
        if items and all_places and (row[EVENTS] or row[PLACES]):
            part = row[EVENTS] / max(all_events, 1.0)
            yield metrics.GROUP_SHARE, (*labels, ("of", "choices")), float(part)
            yield metrics.GROUP_SHARE, (*labels, ("of", "places")), float(row[PLACES] / all_places)
            yield metrics.GROUP_SHORT, (*labels, ("what", "places")), float(places[number])
