"""Saves what counts: every shard of a unit at one instant, with the state they share.

All are dumped between two batches; written when the effects up to there are done; the shared
state first, so that after a crash in between it is ahead and the shards replay without it.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from contracts.metrics import SNAPSHOTS
from state.manifest import Offsets
from state.shelf import Moved
from state.snapshots import Draft, Snapshots
from streams.shards import Parts, Sharing, Telemetry, Unit
from streams.worker.holding import Holding
from streams.worker.holdings import Holdings
from streams.worker.opening import SHARED, Opening

log = logging.getLogger(__name__)
LOOK_S = 0.005


class Saving:
    """Saves the shards of units; tells `fenced` about one that is no longer ours."""

    def __init__(
        self,
        holdings: Holdings,
        opening: Opening,
        store: Snapshots,
        telemetry: Telemetry,
        fenced: Callable[[Holding], None],
    ) -> None:
        self._holdings = holdings
        self._opening = opening
        self._store = store
        self._telemetry = telemetry
        self._fenced = fenced
        self._lock = asyncio.Lock()

    async def save(self, unit: Unit) -> None:
        """Save what has changed since the last time.

        Raises:
            one of `state.connection.away()`: Redis is away; nothing is half saved.
        """
        async with self._lock:
            held = [h for h in self._holdings.of(unit) if h.next != h.saved]
            if not held:
                return
            dumps = [(h, dict(h.next), h.shard.dump()) for h in held]
            reached, shared = self._dump_shared(unit)
            for holding, until, _ in dumps:
                await _effects_done(holding, until)
            anchor = await self._save_shared(unit, reached, shared)
            for holding, until, parts in dumps:
                await self._save_shard(holding, until, parts, anchor)

    def _dump_shared(self, unit: Unit) -> tuple[Offsets, Parts]:
        if not isinstance(unit, Sharing):
            return {}, {}
        reached = {topic: dict(at) for topic, at in self._opening.reached[unit].items()}
        for holding in self._holdings.of(unit):
            for topic, offset in holding.next.items():
                at = reached.setdefault(topic, {})
                at[holding.partition] = max(offset, at.get(holding.partition, 0))
        return reached, unit.shared_dump()

    async def _save_shared(self, unit: Unit, reached: Offsets, parts: Parts) -> Offsets | None:
        """Save it and return how far the one that is now there has come."""
        if not isinstance(unit, Sharing):
            return None
        draft = Draft(parts, reached, self._opening.log.only(unit.topics), None)
        moved = await self._store.save(SHARED, draft)
        self._opening.reached[unit] = reached
        if moved is Moved.YES:
            return reached
        # Another worker shares its own items with its own partitions; what it saved is as good,
        # and the snapshots that fit to it are kept.
        there = await self._store.all(SHARED)
        return there[0].offsets if there else {}

    async def _save_shard(
        self, holding: Holding, until: dict[str, int], parts: Parts, anchor: Offsets | None
    ) -> None:
        if holding.closed:
            return
        offsets = {topic: {holding.partition: offset} for topic, offset in until.items()}
        log_ = self._opening.log.only(holding.unit.topics)
        draft = Draft(parts, offsets, log_, holding.epoch, anchor)
        moved = await self._store.save(holding.name, draft)
        self._telemetry.count(SNAPSHOTS, outcome=moved.value)
        if moved is Moved.YES:
            holding.saved, holding.saved_at = until, time.monotonic()
        elif moved is Moved.FENCED:
            self._fenced(holding)


async def _effects_done(holding: Holding, until: dict[str, int]) -> None:
    while not holding.closed and any(holding.done[t] < offset for t, offset in until.items()):
        await asyncio.sleep(LOOK_S)
