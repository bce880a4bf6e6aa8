"""Publishing: what was learned becomes answers that stand in Redis."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from itertools import islice

import numpy as np

from contracts import metrics
from contracts.settings import Settings
from learners.arrays import I32
from learners.batches import Events, Learned
from learners.given import Lists as RankedLists
from learners.recommender import Recommender
from state.lists import Cut, Lists
from state.render import Ranked
from streams.shards import Publish, Send, Telemetry

CUT_AT_ONCE = 100  # calls of the script: some milliseconds of Redis, and of the event loop
SLICE = 50  # lists of similar items made at a time: 0.7 ms of the event loop


class Publishing:
    """Turn lists, similar items and trending items into commands, and hand them to `send`."""

    def __init__(self, settings: Settings, telemetry: Telemetry, send: Send) -> None:
        self.answers = Lists(settings.key_prefix, settings.list_age_s)
        self.renamed = list[Callable[[list[int]], None]]()  # who hears of new names, too
        self._length = settings.list_length
        self._predictors = tuple(settings.predictors)
        self._telemetry = telemetry
        self._send = send
        self._dirty: list[I32] = []
        self._top = b""
        self._in_turn = asyncio.Lock()

    def lists(self, model: Recommender, events: Events, learned: Learned) -> list[bytes]:
        """Return the commands that publish lists, made before the model learns anything more."""
        self.follow_names(model)
        self.mark_dirty(learned.dirty)
        lists = learned.lists
        at = lists.event.tolist()
        return self.answers.recommendations(
            self._ranked(lists),
            [events.user[k] for k in at],
            events.version[lists.event].tolist(),
            events.ts[lists.event].tolist(),
        )

    def anew(
        self, model: Recommender, lists: RankedLists, users: list[str], version: int, now: float
    ) -> list[bytes]:
        """Return the commands that publish lists which were ranked anew at `now`."""
        self.follow_names(model)
        n = len(users)
        return self.answers.recommendations(self._ranked(lists), users, [version] * n, [now] * n)

    def later(self, commands: list[bytes]) -> Publish:
        """Return what sends the lists of a batch."""

        async def publish() -> None:
            await self._send(commands)
            self._telemetry.count(metrics.LISTS, len(commands), kind="rec")

        return publish

    def cut(self, cuts: Callable[[], Iterable[Cut]], version: int) -> Publish:
        """Return what takes items out of users' lists; `cuts` are made while they are sent."""

        async def publish() -> None:
            load = self.answers.cutting()  # each time: Redis may have been started anew
            left = iter(cuts())
            while some := list(islice(left, CUT_AT_ONCE)):
                await self._send([load, *self.answers.cut(some, version)])

        return publish

    def mark_dirty(self, items: I32) -> None:
        """Have what goes with these items published with the next ones."""
        if len(items):
            self._dirty.append(items)

    def without(self, user: str, shard: str, scenarios: Collection[str], dirty: I32) -> Publish:
        """Return what takes a user's lists away.

        What goes with items that are `dirty` is published anew, or taken away, with the next ones.
        """
        self.mark_dirty(dirty)
        commands = self.answers.nothing_of(user, shard, scenarios)

        async def publish() -> None:
            await self._send(commands)

        return publish

    def nothing_of(self, user: str, shard: str, scenarios: Collection[str]) -> list[bytes]:
        """Return the commands that take away what stands under a user's id."""
        return self.answers.nothing_of(user, shard, scenarios, self._predictors)

    async def shared(self, model: Recommender, send: Send) -> None:
        """Publish what changed since the last call: trending, then similar items.

        Called once per `similar_every_s`, so no item is published more often than that. What
        could not be sent is kept for the next call.
        """
        await self._publish_top(model, send)
        dirty = np.unique(np.concatenate(self._dirty)) if self._dirty else np.empty(0, np.int32)
        self._dirty.clear()
        await self.similar(model, dirty, send)

    async def at_once(self, model: Recommender, items: I32, send: Send) -> None:
        """Publish what is trending, if that changed, and what goes with these items."""
        await self._publish_top(model, send)
        await self.similar(model, items, send)

    async def _publish_top(self, model: Recommender, send: Send) -> None:
        async with self._in_turn:
            self.follow_names(model)
            top = self._trending(model)
            if top is not None and top != self._top:
                await send([top])
                self._top = top
                self._telemetry.count(metrics.LISTS, kind="top")

    async def similar(self, model: Recommender, items: I32, send: Send) -> None:
        """Publish what goes with items; what could not be sent is kept for the next call."""
        for start in range(0, len(items), SLICE):
            try:
                async with self._in_turn:  # what was made first is sent first
                    commands = self._similar(model, items[start : start + SLICE])
                    await send(commands)
            except BaseException:
                self.mark_dirty(items[start:])
                raise
            self._telemetry.count(metrics.LISTS, len(commands), kind="sim")

    def _similar(self, model: Recommender, items: I32) -> list[bytes]:
        known = model.world.items
        known.dirty[items] = False
        live = items[known.seen[items] > 0]
        self.follow_names(model)
        names = [model.ids.names[slot] for slot in live.tolist()]
        ranked = Ranked(*model.similar(live, self._length))
        # An item that is there and was never chosen was chosen by somebody who was forgotten.
        dead = [(slot, model.ids.names[slot]) for slot in items[known.seen[items] == 0].tolist()]
        gone = [name for slot, name in dead if model.ids.find(name) == slot]
        return self.answers.similar(ranked, names, model.latest) + self.answers.none_similar(gone)

    def _trending(self, model: Recommender) -> bytes | None:
        lists = model.trending()
        if not lists.length[0] and not (model.hidden and model.latest):
            return None
        return self.answers.trending(self._ranked(lists)._replace(why=None), model.latest)

    def _ranked(self, lists: RankedLists) -> Ranked:
        lengths = np.minimum(lists.length, self._length)
        return Ranked(lists.item, lists.score, lengths, lists.why, lists.via, lists.odds)

    def follow_names(self, model: Recommender) -> None:
        """Know what items are called that are new, or in another's slot."""
        slots = model.ids.follow()
        self.answers.names.put(slots, model.ids.names)
        for hear in self.renamed:
            hear(slots)
