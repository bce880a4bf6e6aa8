"""Has what may not be shown leave everything that stands in Redis, and come back.

From the moment that a unit knows of it, nothing that it makes holds the item. What was made before
and is on its way is waited for, so that it does not come after what takes the item away.
"""

import asyncio
from collections.abc import Mapping, Set
from typing import Protocol, runtime_checkable

from streams.shards import Publish
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.waits import Retry


@runtime_checkable
class Hiding(Protocol):
    """A unit some of whose items may not be shown at times."""

    @property
    def hidden(self) -> frozenset[str]:
        """Which of them are on nothing that is made now."""

    def hide(self, hidden: frozenset[str]) -> None:
        """Let these, and no others, be on nothing that is made from now on."""

    async def republish(self) -> None:
        """Publish anew what shards share and what has changed by it."""


@runtime_checkable
class Describing(Protocol):
    """A unit that goes by what items are."""

    def describe(self, item: str, attributes: Mapping[str, object]) -> None:
        """Know an item by these attributes, and by nothing that was said before."""


@runtime_checkable
class Holding(Protocol):
    """A shard whose answers hold items of such a unit."""

    def unlist(self, gone: Set[str], back: Set[str]) -> Publish:
        """Return what takes items out of the answers that stand there; others come back soon."""


class Visibility:
    """Applies what the catalogue says; `opened` is to be called when a shard opens."""

    def __init__(self, owned_shards: OwnedShards, retry: Retry) -> None:
        self._owned_shards = owned_shards
        self._retry = retry
        self._stale = set[Hiding]()
        self._nudged = asyncio.Event()

    def apply(self, hidden: frozenset[str]) -> None:
        """Let these items, and no others, be hidden; `run` sees to what stands there."""
        for unit in self._owned_shards.units:
            if isinstance(unit, Hiding) and unit.hidden != hidden:
                unit.hide(hidden)
                self._stale.add(unit)
        self._nudged.set()

    def tell(self, item: str, attributes: Mapping[str, object]) -> None:
        """Have all units know an item by these attributes."""
        for unit in self._owned_shards.units:
            if isinstance(unit, Describing):
                unit.describe(item, attributes)

    def opened(self) -> None:
        """Look what stands there of a shard that was another's, or this worker's before."""
        self._nudged.set()

    async def run(self) -> None:
        """Take away what may not be shown, and bring back what may, until cancelled."""
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            while self._stale and len(self._owned_shards):
                await self._retry.until_answered(self._stale.pop().republish)
            for owned in self._owned_shards:
                await self._change(owned)

    async def _change(self, owned: OwnedShard) -> None:
        unit = owned.unit
        if not isinstance(unit, Hiding) or owned.hidden == unit.hidden:
            return
        await owned.effects_done(dict(owned.next))
        shard = owned.shard  # a rollback may have put another in its place
        if owned.closed or not isinstance(shard, Holding):
            return  # who opens it next looks anew
        now = unit.hidden
        await self._retry.until_answered(shard.unlist(now - owned.hidden, owned.hidden - now))
        owned.hidden = now
