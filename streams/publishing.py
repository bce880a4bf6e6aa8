"""Publishing: what was learned becomes answers that stand in Redis."""

from collections.abc import Awaitable, Callable, Iterator

import numpy as np

from contracts.settings import Settings
from learners.arrays import I32
from learners.recommender import Events, Learned, Recommender
from state.lists import Lists, Ranked

Send = Callable[[list[bytes]], Awaitable[None]]
SLICE = 200  # lists of similar items made at a time, so that the event loop is not held


class Publishing:
    """Turn lists, similar items and trending items into commands, and hand them to `send`."""

    def __init__(self, settings: Settings, send: Send) -> None:
        self._lists = Lists(settings.key_prefix, settings.list_age_s)
        self._length = settings.list_length
        self._send = send
        self._dirty: list[I32] = []
        self._top: bytes = b""

    def learn_all_names(self, model: Recommender) -> None:
        """Learn the ids of items anew, after a state was loaded."""
        model.ids.news = list(range(len(model.ids.names)))
        self._dirty.clear()

    def lists(
        self, model: Recommender, events: Events, learned: Learned
    ) -> Callable[[], Awaitable[None]]:
        """Return what publishes the lists of a batch."""
        self._follow_names(model)
        if len(learned.dirty):
            self._dirty.append(learned.dirty)
        lists = learned.lists
        at = lists.event.tolist()
        commands = self._lists.recommendations(
            Ranked(lists.item, lists.score, np.minimum(lists.length, self._length), lists.because),
            [events.user[k] for k in at],
            events.version[lists.event].tolist(),
            events.ts[lists.event].tolist(),
        )
        return lambda: self._send(commands)

    def tick(self, model: Recommender) -> Iterator[list[bytes]]:
        """Yield commands for what changed since the last call: trending, then similar items.

        Called once per `similar_every_s`, so one item is published at most that often.
        """
        self._follow_names(model)
        top = self._trending(model)
        if top is not None and top != self._top:
            self._top = top
            yield [top]
        dirty = np.unique(np.concatenate(self._dirty)) if self._dirty else np.empty(0, np.int32)
        self._dirty.clear()
        for start in range(0, len(dirty), SLICE):
            yield self._similar(model, dirty[start : start + SLICE])

    def _similar(self, model: Recommender, items: I32) -> list[bytes]:
        model.rows.dirty[items] = False
        live = items[model.rows.seen[items] > 0]
        names = [model.ids.names[slot] for slot in live.tolist()]
        return self._lists.similar(
            Ranked(*model.similar(live, self._length)), names, _latest(model)
        )

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
