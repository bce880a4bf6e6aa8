"""Saves what counts: every shard at one instant, with the state that shards share.

All are copied while nothing is folded, made into bytes by another thread, and written when the
effects up to there are done; the shared state first, so that after a crash in between it is
ahead and the shards replay without it. What has not changed is saved too, without a copy: so
all that stands at one instant has one version.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from contracts.metrics import SNAPSHOTS
from contracts.topics import CONTROL
from state.manifest import Offsets
from state.snapshots import Draft, Snapshots
from state.storage import Moved
from streams.shards import Later, Parts, Shard, Sharing, Still, StillSharing, Telemetry, Unit
from streams.worker.instants import Instants
from streams.worker.loader import SHARED, ShardLoader
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
HURRIED = 4  # shards that are written at once when the worker must go
Take = Callable[[], Later]  # takes a copy, while nothing is folded
T = TypeVar("T")


class Copy(NamedTuple, Generic[T]):
    """What a unit was at one instant, with None for what has not changed since it was saved.

    Where it is only wanted, each state is what takes the copy, then what makes parts of that.
    `before` is what the shared state had reached, as the loader had it then; `floor` is below which
    orders, by partition, no older snapshot may stay.
    """

    unit: Unit
    at: float
    shards: Sequence[tuple[OwnedShard, dict[str, int], T | None]]
    before: Offsets | None
    reached: Offsets
    shared: T | None
    floor: dict[int, int]


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
        self.instants = Instants(store.spaced.every_s)
        self._owned_shards = owned_shards
        self._loader = loader
        self._store = store
        self._telemetry = telemetry
        self._fenced = fenced
        self._lock = asyncio.Lock()
        self._hurrying = 0
        self._refused = set[Unit]()  # another worker's shared state is there, which may be behind

    async def save(self, *units: Unit, hurried: bool = False) -> None:
        """Save all, at one instant, if anything has changed since the last time.

        A unit that is on its way from an earlier version is not saved before it is back. Who is
        `hurried` does not wait for others that ask Redis; a save that is under way hurries, too,
        and leaves the shards that it has not come to.

        Raises:
            one of `state.connection.away()`: Redis is away; nothing is half saved.
        """
        self._hurrying += hurried
        try:
            async with self._lock:
                await self._save(units, hurried)
        finally:
            self._hurrying -= hurried

    async def _save(self, units: Sequence[Unit], hurried: bool) -> None:
        instant = self.instants.next()
        units = tuple(unit for unit in units if unit not in self._loader.returning)
        held = [h for unit in units for h in self._owned_shards.of(unit)]
        moved = any(h.next != h.saved for h in held) or not self._refused.isdisjoint(units)
        if not held or not (instant.whole or moved):
            return
        wanted = [self._wanted(unit, instant.at, hurried) for unit in units]
        copies = await self._owned_shards.standstill.during(
            lambda: [_taken(copy) for copy in wanted]
        )
        for copy in copies:
            await self._write(copy, hurried)
        if hurried or not self._hurried():
            self.instants.done()

    def _hurried(self) -> bool:
        return self._hurrying > 0

    def _wanted(self, unit: Unit, at: float, hurried: bool) -> Copy[Take]:
        """Return a copy that is still to be taken.

        Who is `hurried` has no more events to fold: then parts are made of the state itself, while
        it stands still, and there is nothing to copy.
        """
        held = self._owned_shards.of(unit)
        take, take_shared = (dumped, dumped_shared) if hurried else (still, still_shared)
        shards = [
            (h, dict(h.next), partial(take, h.shard) if h.next != h.saved else None) for h in held
        ]
        before, reached = self._loader.reached.get(unit), self._reached(unit)
        moved = reached != before or unit in self._refused
        changed = moved or any(take is not None for _, _, take in shards)
        shared = partial(take_shared, unit) if changed and isinstance(unit, Sharing) else None
        floor = {h.partition: h.floor for h in held if h.floor}
        return Copy(unit, at, shards, before, reached, shared, floor)

    async def _write(self, copy: Copy[Later], hurried: bool) -> None:
        unit, anchor = copy.unit, None
        for owned, until, _ in copy.shards:
            await owned.effects_done(until)
        if isinstance(unit, Sharing) and copy.shards:
            anchor = await self._save_shared(copy)
            if _replaying(copy, self._loader.ahead.get(unit, {})):
                return
            if self._loader.reached.get(unit) is copy.before:
                self._loader.reached[unit] = copy.reached  # else it was loaded anew meanwhile
        at_once = HURRIED if hurried else 1
        for k in range(0, len(copy.shards), at_once):
            if self._hurried() and not hurried:
                return
            some = range(k, min(k + at_once, len(copy.shards)))
            await asyncio.gather(*(self._write_shard(copy, n, anchor) for n in some))

    async def _write_shard(self, copy: Copy[Later], n: int, anchor: Offsets | None) -> None:
        owned, until, later = copy.shards[n]
        partition = owned.partition
        offsets = {topic: {partition: offset} for topic, offset in until.items()}
        floor = {partition: copy.floor[partition]} if partition in copy.floor else {}
        draft = self._draft(copy, offsets, await _made(later), floor)
        draft = draft._replace(epoch=owned.epoch, anchor=anchor)
        await self._save_shard(owned, until, draft)

    def _draft(
        self, copy: Copy[Later], offsets: Offsets, parts: Parts | None, floor: Mapping[int, int]
    ) -> Draft:
        log_ = self._loader.log.only(copy.unit.topics)
        below = {CONTROL.name: dict(floor)} if floor else None
        return Draft(
            parts, offsets, log_, None, created=copy.at, floor=below, hurried=self._hurried
        )

    def _reached(self, unit: Unit) -> Offsets:
        """Return how far what a unit's shards share has come."""
        if not isinstance(unit, Sharing):
            return {}
        reached = {topic: dict(at) for topic, at in self._loader.reached.get(unit, {}).items()}
        for owned in self._owned_shards.all_of(unit):
            for topic, offset in owned.next.items():
                at = reached.setdefault(topic, {})
                at[owned.partition] = max(offset, at.get(owned.partition, 0))
        return reached

    async def _save_shared(self, copy: Copy[Later]) -> Offsets:
        """Save it and return how far the one that is now there has come."""
        parts = await _made(copy.shared)
        draft = self._draft(copy, copy.reached, parts, copy.floor)
        claims = [owned.name for owned, _, _ in copy.shards]
        draft = draft._replace(anchor=_fitting(copy), claims=claims)
        if await self._store.save(SHARED, draft) is Moved.YES:
            self._refused.discard(copy.unit)
            return copy.reached
        # What another worker has saved meanwhile is as good; snapshots that fit to it are kept.
        # Once ours has passed it it is saved again, or the shards would wait for the next event.
        self._refused.add(copy.unit)
        there = await self._store.all(SHARED)
        return there[0].offsets if there else {}

    async def _save_shard(self, owned: OwnedShard, until: dict[str, int], draft: Draft) -> None:
        if owned.closed:
            return
        moved = await self._store.save(owned.name, draft)
        if draft.parts is not None:
            self._telemetry.count(SNAPSHOTS, outcome=moved.value)
        if moved is Moved.YES:
            owned.saved, owned.saved_at = until, time.monotonic()
        elif moved is Moved.FENCED:
            self._fenced(owned)
        else:
            owned.saved = {}  # what was there is gone: it is saved again, with its parts


def _taken(wanted: Copy[Take]) -> Copy[Later]:
    """Take a copy of what is wanted."""
    unit, at, shards, before, reached, shared, floor = wanted
    taken = [(owned, until, take and take()) for owned, until, take in shards]
    return Copy(unit, at, taken, before, reached, shared and shared(), floor)


def _fitting(copy: Copy[Later]) -> Offsets:
    """Return where a shared state stands that fits to what the shards have saved."""
    fitting = {topic: dict(at) for topic, at in copy.reached.items()}
    for owned, until, _ in copy.shards:
        for topic in until:
            fitting[topic][owned.partition] = owned.saved.get(topic, 0)
    return fitting


def _replaying(copy: Copy[Later], ahead: Offsets) -> bool:
    """Tell whether a shared state that was there at our start is ahead of ours in our partitions.

    It was saved in the midst of a crash, and an older one was loaded that fits to the shards. They
    are saved again when ours has passed it: before, no shared state would fit to them. One that
    came later is another worker's, who follows what we own and may be far ahead: with lists to
    make, an event takes us ten times as long. Waiting for that, nothing would be saved for hours.
    """
    return any(
        ahead.get(topic, {}).get(owned.partition, 0) > copy.reached[topic][owned.partition]
        for owned, until, _ in copy.shards
        for topic in until
    )


def still(shard: Shard) -> Later:
    """Copy a shard's state; what is returned makes its parts."""
    return shard.still() if isinstance(shard, Still) else dumped(shard)


def still_shared(unit: Sharing) -> Later:
    """Copy what the shards of a unit share; what is returned makes its parts."""
    return unit.shared_still() if isinstance(unit, StillSharing) else dumped_shared(unit)


def dumped(shard: Shard) -> Later:
    """Make parts of a shard's state."""
    return partial(dict, shard.dump())


def dumped_shared(unit: Sharing) -> Later:
    """Make parts of what the shards of a unit share."""
    return partial(dict, unit.shared_dump())


async def _made(later: Later | None) -> Parts | None:
    return None if later is None else await asyncio.to_thread(later)
