"""The lists of segments: what strangers are shown of whom a reader knows where they come from."""

import asyncio

import numpy as np

from contracts import metrics
from contracts.settings import Settings
from learners.recommender import Recommender
from learners.shown import shown
from state.render import Ranked
from streams.interactions.publishing import Publishing
from streams.shards import Send, Telemetry

SLICE = 32  # lists at a time, less than a millisecond of the event loop


class SegmentLists:
    """Publishes them, SLICE at each call: few segments every second, many every few seconds."""

    def __init__(
        self, settings: Settings, model: Recommender, publishing: Publishing, telemetry: Telemetry
    ) -> None:
        self._length = settings.list_length
        self._model, self._publishing, self._telemetry = model, publishing, telemetry
        self._sent: dict[str, bytes] = {}
        self._next = 0
        self._in_turn = asyncio.Lock()

    async def publish(self, send: Send) -> None:
        """Publish the next ones that have changed."""
        known = len(self._model.segments.known)
        begin = self._next if self._next < known else 0
        self._next = begin + SLICE
        await self._publish(range(begin, min(self._next, known)), send)
        self._count_refused()

    async def publish_all(self, send: Send) -> None:
        """Publish all that have changed."""
        known = len(self._model.segments.known)
        for begin in range(0, known, SLICE):
            await self._publish(range(begin, min(begin + SLICE, known)), send)

    async def _publish(self, rows: range, send: Send) -> None:
        async with self._in_turn:  # what was made first is sent first
            self._publishing.follow_names(self._model)
            made = {self._model.segments.known[row]: self._made(row) for row in rows}
            new = {name: one for name, one in made.items() if one != self._sent.get(name)}
            if new:
                await send(list(new.values()))
                self._sent |= new
                self._telemetry.count(metrics.LISTS, len(new), kind="top")

    def _made(self, row: int) -> bytes:
        model, publishing = self._model, self._publishing
        lists = shown(model, row)
        ranked = Ranked(lists.item, lists.score, np.minimum(lists.length, self._length))
        return publishing.answers.trending_in(ranked, model.segments.known[row], model.latest)

    def _count_refused(self) -> None:
        refused = self._model.segments.refused
        for (name, reason), n in refused.items():
            self._telemetry.count(metrics.CONTEXT_REFUSED, n, name=name, reason=reason)
        refused.clear()
