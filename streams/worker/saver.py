"""Saves what counts: every shard of a unit at one instant, with the state they share.

All are copied between two batches, made into bytes by another thread, and written when the
effects up to there are done; the shared state first, so that after a crash in between it is
ahead and the shards replay without it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

from contracts.metrics import SNAPSHOTS
from state.manifest import Offsets
from state.snapshots import Draft, Snapshots
from state.storage import Moved
from streams.shards import Later, Parts, Shard, Sharing, Still, StillSharing, Telemetry, Unit
from streams.worker.loader import SHARED, ShardLoader
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
LOOK_S = 0.005


class ShardSaver:
    """Saves the shards of units; tells `fenced` about one that is no longer ours."""

    def __init__(
        self,
        owned_shards: OwnedShards,
        loader: ShardLoader,
        store: Snapshots,
        telemetry: Telemetry,
        fenced: Callable[[OwnedShard], None],
    ) -> None:
        self._owned_shards = owned_shards
        self._loader = loader
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
            held = [h for h in self._owned_shards.of(unit) if h.next != h.saved]
            if not held:
                return
            copies = [(h, dict(h.next), _still(h.shard)) for h in held]
            before = self._loader.reached.get(unit)
            reached, shared = self._still_shared(unit)
            for owned, until, _ in copies:
                await _effects_done(owned, until)
            anchor = await self._save_shared(unit, reached, await asyncio.to_thread(shared))
            if self._loader.reached.get(unit) is before and isinstance(unit, Sharing):
                self._loader.reached[unit] = reached  # else it was loaded anew meanwhile
            for owned, until, later in copies:
                await self._save_shard(owned, until, await asyncio.to_thread(later), anchor)

    def _still_shared(self, unit: Unit) -> tuple[Offsets, Later]:
        if not isinstance(unit, Sharing):
            return {}, dict
        reached = {topic: dict(at) for topic, at in self._loader.reached[unit].items()}
        for owned in self._owned_shards.of(unit):
            for topic, offset in owned.next.items():
                at = reached.setdefault(topic, {})
                at[owned.partition] = max(offset, at.get(owned.partition, 0))
        if isinstance(unit, StillSharing):
            return reached, unit.shared_still()
        return reached, partial(dict, unit.shared_dump())

    async def _save_shared(self, unit: Unit, reached: Offsets, parts: Parts) -> Offsets | None:
        """Save it and return how far the one that is now there has come."""
        if not isinstance(unit, Sharing):
            return None
        draft = Draft(parts, reached, self._loader.log.only(unit.topics), None)
        moved = await self._store.save(SHARED, draft)
        if moved is Moved.YES:
            return reached
        # Another worker shares its own items with its own partitions; what it saved is as good,
        # and the snapshots that fit to it are kept.
        there = await self._store.all(SHARED)
        return there[0].offsets if there else {}

    async def _save_shard(
        self, owned: OwnedShard, until: dict[str, int], parts: Parts, anchor: Offsets | None
    ) -> None:
        if owned.closed:
            return
        offsets = {topic: {owned.partition: offset} for topic, offset in until.items()}
        log_ = self._loader.log.only(owned.unit.topics)
        draft = Draft(parts, offsets, log_, owned.epoch, anchor)
        moved = await self._store.save(owned.name, draft)
        self._telemetry.count(SNAPSHOTS, outcome=moved.value)
        if moved is Moved.YES:
            owned.saved, owned.saved_at = until, time.monotonic()
        elif moved is Moved.FENCED:
            self._fenced(owned)


def _still(shard: Shard) -> Later:
    return shard.still() if isinstance(shard, Still) else partial(dict, shard.dump())


async def _effects_done(owned: OwnedShard, until: dict[str, int]) -> None:
    while not owned.closed and any(owned.done[t] < offset for t, offset in until.items()):
        await asyncio.sleep(LOOK_S)
