"""Takes what shards share, or a model that one shard has alone, back to an earlier version.

*Skip*: the version's state of it takes the place of the present one, at the order's place. What
came since then is not learned again; people's own histories, which no model made, stay, and so
does what waits for its label.

*Replay*: shards and what they share are opened from the version, as at a start, and the log since
then is folded again up to the order's place, with all orders on the way. Models of the shard that
are not meant come to where they were: their state is a fold of the same log. Until then nothing is
saved: a worker that dies meanwhile begins anew. Without a version that is a rebuild: from nothing,
of what the log still has.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from faust.types import TP

from contracts.control import Control
from contracts.errors import StateRefused, TopicsDiffer
from contracts.topics import CONTROL
from state.manifest import Manifest
from state.snapshots import Snapshots
from streams.control.schedule import Order
from streams.kafka.log_ends import Bounds
from streams.shards import Parts, Shard, Sharing, Unit
from streams.worker.ledger import DONE, REFUSED
from streams.worker.loader import SHARED, Return, ShardLoader, check_offset
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.waits import Retry

log = logging.getLogger(__name__)
Ask = Callable[[Sequence[TP]], Awaitable[Mapping[TP, Bounds]]]


@runtime_checkable
class Returning(Shard, Protocol):
    """A shard of which one model can go back, while the others stay."""

    def back(self, model: str, parts: Mapping[str, bytes]) -> None:
        """Let a model be what it was when `dump` gave these parts.

        Raises:
            StateRefused: it was not there, or cannot be read; nothing has changed.
        """


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

    async def to(self, shards: Sequence[OwnedShard], order: Order) -> str:
        """Return the outcome, empty while it is under way: ask again when shards stand there.

        These are all that share state, or one that shares none. They stand at the order's place,
        and do so when this returns.
        """
        unit, since = shards[0].unit, order.asked.since
        coming = self._loader.returning.get(unit)
        if coming is not None and since == "replay" and order.position <= coming.position:
            if order.position == coming.position and self._last(shards, order):
                del self._loader.returning[unit]
            return DONE
        go = self._replay if since == "replay" else self._skip
        try:
            return await self._retry.until_answered(lambda: go(shards, order))
        except (StateRefused, TopicsDiffer) as error:
            log.warning("no way back to version '%s': %s", order.asked.version, error)
            return f"{REFUSED}{error}"

    def _last(self, shards: Sequence[OwnedShard], order: Order) -> bool:
        """Tell whether all other shards of the unit that came back have come so far, too."""
        others = [o for o in self._owned_shards.of(shards[0].unit) if o not in shards]
        return all(other.next[CONTROL.name] > order.position for other in others)

    async def _replay(self, shards: Sequence[OwnedShard], order: Order) -> str:
        unit, version = shards[0].unit, order.asked.version
        if version:
            for owned in self._owned_shards.of(unit):
                await self._check(owned, order.asked)
            if isinstance(unit, Sharing):
                await self._found(SHARED, version)
        if any(owned.closed for owned in shards):
            return ""
        log.info("back to %s; the log since then is learned again", version or "nothing")
        self._loader.returning[unit] = Return(version, order.position)
        self._reload(unit)
        return ""

    async def _check(self, owned: OwnedShard, asked: Control) -> None:
        manifest = await self._found(owned.name, asked.version)
        tps = self._owned_shards.tps(owned.unit, owned.partition)
        bounds = await self._bounds(list(tps))
        for tp, topic in tps.items():
            at = manifest.offsets.get(topic, {}).get(owned.partition, 0)
            check_offset(owned, topic, at, bounds[tp])
        if not isinstance(owned.unit, Sharing):
            parts = await self._parts(owned.name, owned.unit, asked)
            _rehearse(_returning(owned), asked.learner, parts)

    async def _skip(self, shards: Sequence[OwnedShard], order: Order) -> str:
        unit, standstill = shards[0].unit, self._owned_shards.standstill
        if not isinstance(unit, Sharing):
            return await self._skip_alone(shards[0], order)
        parts = await self._parts(SHARED, unit, order.asked)
        before = await standstill.during(lambda: _before(unit, shards))
        await standstill.over()
        if any(owned.closed for owned in shards):
            return ""  # they were taken away meanwhile: whoever has them now does it
        _exchange(unit, before, parts)
        return DONE

    async def _skip_alone(self, owned: OwnedShard, order: Order) -> str:
        parts = await self._parts(owned.name, owned.unit, order.asked)
        await self._owned_shards.standstill.over()
        if owned.closed:
            return ""
        _returning(owned).back(order.asked.learner, parts)
        return DONE

    async def _parts(self, name: str, unit: Unit, asked: Control) -> Parts:
        manifest = await self._found(name, asked.version)
        self._loader.check_log(name, manifest, unit.topics)
        parts = await self._store.load(name, manifest)
        if parts is None:
            raise StateRefused(f"version '{asked.version}' is damaged, see the log; take another")
        return parts

    async def _found(self, name: str, version: str) -> Manifest:
        manifest = await self._store.version(name, version)
        if manifest is None:
            raise StateRefused(f"'{name}' has no version '{version}'; see `headwater versions`")
        return manifest


def _returning(owned: OwnedShard) -> Returning:
    if not isinstance(owned.shard, Returning):
        raise StateRefused(f"no model of '{owned.name}' can go back")
    return owned.shard


def _rehearse(shard: Returning, model: str, parts: Parts) -> None:
    """Raise StateRefused unless a shard can be opened from these parts; it is as before."""
    before = shard.dump()
    try:
        shard.load(parts)
        shard.back(model, parts)
    finally:
        shard.load(before)


class _Before(NamedTuple):
    """What shards were, and what they share, before that is exchanged."""

    shards: Sequence[tuple[OwnedShard, Parts]]
    shared: Parts


def _before(unit: Sharing, shards: Sequence[OwnedShard]) -> _Before:
    return _Before([(owned, owned.shard.dump()) for owned in shards], unit.shared_dump())


def _exchange(unit: Sharing, before: _Before, shared: Parts) -> None:
    """Give a unit another shared state; its shards find their items there by name."""
    for owned, _ in before.shards:
        unit.close(owned.partition)
    try:
        unit.shared_load(shared)
    except StateRefused:
        unit.shared_load(before.shared)
        raise
    finally:
        for owned, parts in before.shards:
            begin = unit.follow if owned.followed else unit.open
            owned.shard = begin(owned.partition)
            owned.shard.load(parts)
