"""Publishing: what was learned becomes answers that stand in Redis."""

import numpy as np

from contracts import metrics
from contracts.settings import Settings
from learners.arrays import I32
from learners.recommender import Events, Learned, Recommender
from state.lists import Lists, Ranked
from streams.shards import Publish, Send, Telemetry

SLICE = 50  # lists of similar items made at a time: 0.7 ms of the event loop


class Publishing:
    """Turn lists, similar items and trending items into commands, and hand them to `send`."""

    def __init__(self, settings: Settings, telemetry: Telemetry, send: Send) -> None:
        self._lists = Lists(settings.key_prefix, settings.list_age_s)
        self._length = settings.list_length
        self._telemetry = telemetry
        self._send = send
        self._dirty: list[I32] = []
        self._top = b""

    def learn_all_names(self, model: Recommender) -> None:
        """Learn the ids of items of a state that was loaded."""
        model.ids.news = list(range(len(model.ids.names)))

    def lists(self, model: Recommender, events: Events, learned: Learned) -> list[bytes]:
        """Return the commands that publish lists, made before the model learns anything more."""
        self._follow_names(model)
        if len(learned.dirty):
            self._dirty.append(learned.dirty)
        lists = learned.lists
        at = lists.event.tolist()
        return self._lists.recommendations(
            Ranked(lists.item, lists.score, np.minimum(lists.length, self._length), lists.because),
            [events.user[k] for k in at],
            events.version[lists.event].tolist(),
            events.ts[lists.event].tolist(),
        )

    def later(self, commands: list[bytes]) -> Publish:
        """Return what sends the lists of a batch."""

        async def publish() -> None:
            await self._send(commands)
            self._telemetry.count(metrics.LISTS, len(commands), kind="rec")

        return publish

    async def shared(self, model: Recommender, send: Send) -> None:
        """Publish what changed since the last call: trending, then similar items.

        Called once per `similar_every_s`, so no item is published more often than that. What
        could not be sent is kept for the next call.
        """
        self._follow_names(model)
        top = self._trending(model)
        if top is not None and top != self._top:
            await send([top])
            self._top = top
            self._telemetry.count(metrics.LISTS, kind="top")
        dirty = np.unique(np.concatenate(self._dirty)) if self._dirty else np.empty(0, np.int32)
        self._dirty.clear()
        for start in range(0, len(dirty), SLICE):
            commands = self._similar(model, dirty[start : start + SLICE])
            try:
                await send(commands)
            except BaseException:
                self._dirty.append(dirty[start:])
                raise
            self._telemetry.count(metrics.LISTS, len(commands), kind="sim")

    def _similar(self, model: Recommender, items: I32) -> list[bytes]:
        model.rows.dirty[items] = False
        live = items[model.rows.seen[items] > 0]
        self._follow_names(model)
        names = [model.ids.names[slot] for slot in live.tolist()]
        ranked = Ranked(*model.similar(live, self._length))
        return self._lists.similar(ranked, names, _latest(model))

    def _trending(self, model: Recommender) -> bytes | None:
        items, scores = model.trending(self._length)
        if not len(items):
            return None
        ranked = Ranked(items[None, :], scores[None, :], np.array([len(items)]))
        return self._lists.trending(ranked, _latest(model))

    def _follow_names(self, model: Recommender) -> None:
        self._lists.names.put(model.ids.news, model.ids.names)
        model.ids.news = []


def _latest(model: Recommender) -> float:
    latest = float(model.trend.clock[2])
    return latest if np.isfinite(latest) else 0.0
