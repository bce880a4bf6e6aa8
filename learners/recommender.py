"""Recommender: the arrays of one worker's items, and of each partition's users, under one roof.

State that belongs to a partition (`Users`) has one writer; state of the items is shared by all
partitions of a worker. Both are folds of the log: what they hold depends on the events alone.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from contracts.pipeline import Pipeline
from learners import arrays, features, room, seen
from learners.arrays import F64, I32, Flags, World
from learners.asked import refresh
from learners.attributes import Described
from learners.batches import Events, Learned, last_of_each, room_for_lists, room_for_verdicts
from learners.counts import rebuild
from learners.floors import Floors, no_floors
from learners.forget import forget_in_users, forget_items
from learners.given import Lists
from learners.head import head
from learners.ids import Ids
from learners.newcomers import Newcomers
from learners.pairs import going_with, similar
from learners.passes import Person
from learners.rules import BLEND, LEARNING, reserved_of, rules_of, sessions_of, widths_of
from learners.segment_ids import SegmentIds, segment_rows
from learners.sessions import tags
from learners.step import JUDGE, TEACH, Columns, step
from learners.turns import watch
from learners.users import FIRST_ROWS, Shape, Users

SWEEP_SHARE = 16  # a full map of items lets this part of it go at once


class Recommender:
    """The items of one worker, and the kernels' way to them."""

    hidden: frozenset[str] = frozenset()

    def __init__(
        self,
        shape: Shape,
        pipeline: Pipeline,
        learn_repeats: bool = True,
        alone: room.View | None = None,
        foreign: Sequence[str] = (),
        described: Described | None = None,
    ) -> None:
        """With `alone` one view ranks by itself, instead of the pipeline's head.

        `foreign` names views of rankers that no kernel can ask. Then `learn` leaves the head alone;
        it is taught from outside, see `learners.foreign`. `described` are items with attributes.
        """
        self.shape, self.pipeline = shape, pipeline
        self.rules = rules_of(pipeline, shape.seen // seen.PAGE, learn_repeats, alone, shape.length)
        self.widths = widths_of(pipeline, shape.history)
        self.foreign = tuple(foreign)
        contexts = pipeline.segments.context if self.learns else ()
        self.views = self.widths.scales + room.views_of(self.rules.use)
        self.views += len(contexts) + len(self.foreign)
        self.features = features.PER_VIEW * self.views + features.OWN_FEATURES
        self.newcomers = Newcomers(reserved_of(pipeline), described)
        self.ids = Ids(shape.items, reserved := self.newcomers.size)
        rows = arrays.room_for(min(FIRST_ROWS, shape.items), reserved)
        self.partitions: list[Users] = []
        self.depth = max(shape.length, arrays.JUDGED)
        self.world = World(
            arrays.item_rows(rows, self.widths),
            arrays.trend(self.widths.scales),
            arrays.sessions(sessions_of(pipeline)),
            head(self.rules, self.features, self.views),
            watch(),
            segment_rows(len(contexts)),
            arrays.tried(rows if reserved else 0),
        )
        self.segments = SegmentIds(contexts, self.world.segments)
        self.stranger = Users(shape._replace(users=1), self.widths)
        self.floors = no_floors()
        self._make_working_room()

    def _make_working_room(self) -> None:
        self.room = self.working_room(room.MOST)._replace(floors=self.floors)
        self.hide(self.hidden)

    def working_room(self, most: int) -> room.Room:
        """Return room to work in for so many candidates."""
        size = room.Size(
            items=len(self.world.items.seen),
            sessions=len(self.world.sessions.size),
            scales=self.widths.scales,
            views=self.views,
            features=self.features,
            visits=self.widths.visits,
            depth=self.depth,
            contexts=len(self.segments.names),
        )
        self.newcomers.grow(size.items)
        return room.room(size, most, self.newcomers.content)

    def open(self, served: bool = True) -> Users:
        """Return the users of one more partition."""
        users = Users(self.shape, self.widths, served)
        self.partitions.append(users)
        return users

    def close(self, users: Users) -> None:
        """Let a partition's users go."""
        self.partitions.remove(users)

    def learn(self, users: Users, events: Events, mode: int = TEACH) -> Learned:
        """Judge, learn and rank events in order, as many as there is room for their items.

        At least the first one; `len(learned.user)` says how many. Come again with the rest
        when the lists are rendered: then items are let go, and their slots get other names.
        With REMEMBER only the users learn: the items already know these events. With JUDGE they
        are judged too, and the items, which are frozen, learn nothing of them but new names; with
        ALONE the items that know what came later were frozen then.
        """
        self.follow_newcomers()  # whatever this batch brings
        items = self._items_of(events, mode)
        self.follow_newcomers()
        taken = len(items)
        if self.hidden:
            self._hide_newcomers(items, events.item[:taken])
        names = events.user[:taken]
        slots, newcomers = users.ids.map_in_turn(names)
        users.make_room(taken)
        last = last_of_each(names) & users.served
        taught = (events.weight[:taken] > 0.0) & (mode == TEACH)
        verdicts, lists = room_for_verdicts(taken), room_for_lists(int(last.sum()), self.depth)
        columns = Columns(
            slots, tags(names, newcomers), items, events.ts[:taken], events.weight[:taken],
            events.barred[:taken], events.fresh[:taken], last,
            self.segments.of(events.context[:taken], events.ts[:taken], taught),
        )  # fmt: skip
        person = self._person(users)
        if self.foreign:
            person = person._replace(rules=self.rules._replace(head=BLEND))
        _, changed = step(self.world, person, columns, mode, users.served, verdicts, lists)
        users.rows.version[slots] = events.version[:taken]
        return Learned(verdicts, lists, slots, self.room.dirty[:changed].copy())

    def hide(self, names: frozenset[str]) -> None:
        """Have these items, and no others, on no list that is given out from now on.

        They are judged and learned as ever: what may be shown is not part of what is known.
        """
        self.hidden = names
        self.room.hidden_count[0] = len(names)
        self.room.hidden[:] = self.marked(self.ids.find_shown(list(names)))

    def follow_newcomers(self) -> None:
        """Have newcomers on lists from now on."""
        names = self.newcomers.follow(self.ids, self.world, self.partitions)
        if names:
            self._hide_newcomers(self.ids.find_shown(names), names)

    def keep(self, floors: Floors) -> None:
        """Have these floors kept on what is given out from now on; they teach nothing either."""
        self.floors, self.room = floors, self.room._replace(floors=floors)

    def neighbours_of(self, names: Collection[str]) -> I32:
        """Return the items that any of these go with."""
        wanted = self.marked(self.ids.find_all(list(names)))
        found = np.zeros(len(wanted), np.bool_)
        if wanted.any():
            going_with(self.world.items, wanted, found)
        return np.flatnonzero(found).astype(np.int32)

    def marked(self, items: I32) -> Flags:
        """Return (items,) flags that are True for these slots; -1 is nobody's."""
        flags = np.zeros(len(self.world.items.seen), np.bool_)
        flags[items[items >= 0]] = True
        return flags

    def _hide_newcomers(self, items: I32, names: list[str]) -> None:
        """Mark what a batch may have given a slot that was another's."""
        hidden = np.array([name in self.hidden for name in names], np.bool_)
        self.room.hidden[items[items >= 0]] = hidden[items >= 0]

    def refresh(self, users: Users, slots: I32 | list[int], now: float, kept: bool = True) -> Lists:
        """Rank anew, at a moment, the lists of users; nothing but the lists that wait changes."""
        lists = room_for_lists(len(slots), self.depth)
        refresh(self.world, self._person(users), np.asarray(slots, np.int32), now, kept, lists)
        return lists

    def peek(self, users: Users, slot: int, now: float) -> Lists:
        """Return one list, of a user (-1: of a stranger) at a moment, and change nothing."""
        return self.refresh(users, [slot], now, kept=False)

    def trending(self) -> Lists:
        """Return what a stranger is shown now: one list."""
        return self.peek(self.stranger, -1, self.latest)

    @property
    def served(self) -> list[Users]:
        """The users whose lists are made here."""
        return [users for users in self.partitions if users.served]

    @property
    def learns(self) -> bool:
        """Whether the head learns from events; it then tells chances."""
        return self.rules.head in LEARNING

    @property
    def latest(self) -> float:
        """The time of the latest event, 0 before the first."""
        latest = float(self.world.trend.clock[0])
        return latest if np.isfinite(latest) else 0.0

    def _person(self, users: Users) -> Person:
        return Person(users.rows, users.pages, self.rules, self.room)

    def _items_of(self, events: Events, mode: int) -> I32:
        if mode == TEACH:
            return self._admit(events)
        if mode == JUDGE:
            self.name(events.item[k] for k in np.flatnonzero(events.weight).tolist())
        return self.ids.find_all(events.item)

    def name(self, items: Iterable[str]) -> None:
        """Give new items a slot while there is room, so that histories can hold them.

        Nothing is let go for them and no use is noted: what is held stays as it is.
        """
        new = [item for item in dict.fromkeys(items) if item not in self.ids]
        for item in new:
            if not self.ids.full:
                self.ids.admit(item)
        self.make_room()
        if self.hidden:
            self._hide_newcomers(self.ids.find_all(new), new)

    def _admit(self, events: Events) -> I32:
        """Return the items of the first events; -1 for what is not learned, which takes no slot."""
        learned = np.flatnonzero(events.weight)
        if len(learned) == len(events.item):
            return self._slots(events.item)
        found = np.full(len(events.item), -1, np.int32)
        slots = self._slots([events.item[k] for k in learned.tolist()])
        found[learned[: len(slots)]] = slots
        return found if len(slots) == len(learned) else found[: learned[len(slots)]]

    def _slots(self, names: list[str]) -> I32:
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
        world, half_life = self.world, self.rules.pair_half_life
        hidden = self.room.hidden
        similar(world.items, world.trend, half_life, hidden, items, found, score, size)
        return found, score, size

    def make_room(self) -> None:
        """Have a row for every slot in use."""
        items = self.world.items
        rows = arrays.room_for(len(items.seen), len(self.ids.names))
        if rows > len(items.seen):
            grown = arrays.grown(items, arrays.item_rows(rows, self.widths))
            tried = arrays.tried_for(self.world.tried, rows)
            self.world = self.world._replace(items=grown, tried=tried)
            self._make_working_room()

    def _sweep(self) -> None:
        """Let the least recently chosen items go, all at once: nobody may name them afterwards."""
        items = self.world.items
        gone = np.zeros(len(items.seen), np.bool_)
        share = max(1, self.ids.capacity // SWEEP_SHARE)
        gone[self.ids.drop(self.ids.oldest(self.ids.beyond + share))] = True
        forget_items(self.world, gone)
        self.newcomers.forget(self.world, gone)
        items.dirty[gone] = False
        rebuild(items, self.world.trend)
        for users in self.partitions:
            forget_in_users(users.rows, users.pages, gone)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the room to work in: it changes with every answer and says nothing."""
        return {name: value for name, value in self.__dict__.items() if name != "room"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Have room to work in again."""
        self.__dict__.update(state)
        self._make_working_room()
