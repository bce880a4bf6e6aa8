"""Takes what shards share back to an earlier version, while events go on.

*Skip*: the version's shared state takes the place of the present one, at the order's place. What
came since then is not learned again; people's own histories, which no model made, stay.

*Replay*: shards and what they share are opened from the version, as at a start, and the log since
then is folded again up to the order's place, with all orders on the way. Until then nothing is
saved: a worker that dies meanwhile begins anew. Without a version that is a rebuild: from nothing,
of what the log still has.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from faust.types import TP

from contracts.control import Control
from contracts.errors import StateRefused, TopicsDiffer
from state.manifest import Manifest
from state.snapshots import Snapshots
from streams.kafka.log_ends import Bounds
from streams.shards import Parts, Sharing, Unit
from streams.worker.ledger import DONE, REFUSED
from streams.worker.loader import SHARED, Return, ShardLoader, check_offset
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.saver import still, still_shared
from streams.worker.waits import Retry

log = logging.getLogger(__name__)
Ask = Callable[[Sequence[TP]], Awaitable[Mapping[TP, Bounds]]]


class Rollback:
    """Goes back; `bounds` asks for those of logs, `reload` opens a unit's shards anew."""

    def __init__(
        self,
        owned_shards: OwnedShards,
        loader: ShardLoader,
        store: Snapshots,
        bounds: Ask,
        reload: Callable[[Unit], None],
        retry: Retry,
    ) -> None:
        self._owned_shards = owned_shards
        self._loader = loader
        self._store = store
        self._bounds = bounds
        self._reload = reload
        self._retry = retry

    async def to(self, unit: Unit, asked: Control, position: int) -> str:
        """Return the outcome, empty while it is under way: ask again when shards stand there.

        All shards of the unit stand at the order's place, and do so when this returns.
        """
        coming = self._loader.returning.get(unit)
        if coming is not None and asked.since == "replay" and position <= coming.position:
            if position == coming.position:
                del self._loader.returning[unit]
            return DONE
        try:
            if asked.since == "replay":
                return await self._retry.until_answered(lambda: self._replay(unit, asked, position))
            return await self._retry.until_answered(lambda: self._skip(unit, asked.version))
        except (StateRefused, TopicsDiffer) as error:
            log.warning("no way back to version '%s': %s", asked.version, error)
            return f"{REFUSED}{error}"

    async def _replay(self, unit: Unit, asked: Control, position: int) -> str:
        version = asked.version
        if version:
            for owned in self._owned_shards.of(unit):
                await self._check(owned, await self._found(owned.name, version))
            await self._found(SHARED, version)
        log.info("back to %s; the log since then is learned again", version or "nothing")
        self._loader.returning[unit] = Return(version, position)
        self._reload(unit)
        return ""

    async def _check(self, owned: OwnedShard, manifest: Manifest) -> None:
        tps = self._owned_shards.tps(owned.unit, owned.partition)
        bounds = await self._bounds(list(tps))
        for tp, topic in tps.items():
            at = manifest.offsets.get(topic, {}).get(owned.partition, 0)
            check_offset(owned, topic, at, bounds[tp])

    async def _skip(self, unit: Unit, version: str) -> str:
        manifest = await self._found(SHARED, version)
        self._loader.check_log(SHARED, manifest, unit.topics)
        parts = await self._store.load(SHARED, manifest)
        if parts is None:
            raise StateRefused(f"version '{version}' is damaged, see the log; take another one")
        shards = self._owned_shards.all_of(unit)
        kept = [(owned, await asyncio.to_thread(still(owned.shard))) for owned in shards]
        await self._owned_shards.standstill.over()
        if any(owned.closed for owned in shards):
            return ""  # they were taken away meanwhile: whoever has them now does it
        _exchange(unit, kept, parts)
        return DONE

    async def _found(self, name: str, version: str) -> Manifest:
        manifest = await self._store.version(name, version)
        if manifest is None:
            raise StateRefused(f"'{name}' has no version '{version}'; see `headwater versions`")
        return manifest


def _exchange(unit: Unit, kept: Sequence[tuple[OwnedShard, Parts]], shared: Parts) -> None:
    """Give a unit another shared state; its shards find their items there by name."""
    assert isinstance(unit, Sharing)  # noqa: S101 - as the order's kind says
    before = still_shared(unit)
    for owned, _ in kept:
        unit.close(owned.partition)
    try:
        unit.shared_load(shared)
    except StateRefused:
        unit.shared_load(before())
        raise
    finally:
        for owned, parts in kept:
            begin = unit.follow if owned.followed else unit.open
            owned.shard = begin(owned.partition)
            owned.shard.load(parts)
