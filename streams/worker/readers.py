"""Has lists made that somebody has looked for and that were not there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable
from weakref import WeakSet

from streams.shards import Publish
from streams.worker.outbox import Outbox
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
AGAIN_S = 1.0
REFUSED = (
    "Redis may not be told to name keys that are looked for in vain, so nobody's lists of "
    "scenarios are made; set its notify-keyspace-events to Km, or `made` of those to 'always'"
)
Wanted = tuple[str, str]  # a user and a scenario


@runtime_checkable
class Asking(Protocol):
    """A shard some of whose answers are made for those who ask."""

    def asked(self, wanted: Sequence[Wanted]) -> tuple[list[Wanted], Publish]:
        """Return which of these are this shard's to make, and what publishes them."""


class Missed(Protocol):
    """Tells what readers have looked for in vain; see `state.misses`."""

    async def told(self) -> bool:
        """Begin; return False where that is not to be had."""

    def listen(self) -> AsyncIterator[list[Wanted]]:
        """Yield it, now and then nothing, for ever."""

    async def keep(self, shard: str, misses: Sequence[Wanted]) -> None:
        """Keep what a shard was asked for."""

    async def kept(self, shard: str) -> list[Wanted]:
        """Return what it was asked for, by whomever it was made."""


class Readers:
    """Answers those who look in vain."""

    def __init__(
        self,
        owned_shards: OwnedShards,
        outbox: Outbox,
        missed: Missed,
        away: tuple[type[Exception], ...],
    ) -> None:
        self._owned_shards, self._outbox = owned_shards, outbox
        self._missed, self._away = missed, away
        self._met = WeakSet[OwnedShard]()

    async def run(self) -> None:
        """Do so until cancelled; a Redis that was away is listened to again."""
        while True:
            try:
                if not await self._missed.told():
                    log.warning(REFUSED)
                async for wanted in self._missed.listen():
                    for owned in self._owned_shards:
                        await self._answer(owned, wanted)
            except self._away:
                await asyncio.sleep(AGAIN_S)

    async def _answer(self, owned: OwnedShard, wanted: Sequence[Wanted]) -> None:
        """Publish what is wanted of a shard; when it was just opened, what was wanted before."""
        if not isinstance(owned.shard, Asking):
            return
        if owned not in self._met:
            wanted = [*wanted, *await self._missed.kept(owned.name)]
        if not wanted or await self._published(owned, owned.shard, wanted):
            self._met.add(owned)

    async def _published(self, owned: OwnedShard, shard: Asking, wanted: Sequence[Wanted]) -> bool:
        """Publish what is this shard's to make; return False if the shard is ours no longer."""
        if not await self._outbox.ours(owned):
            return False
        await self._owned_shards.standstill.over()
        if owned.closing:
            return False
        taken, publish = shard.asked(wanted)
        if taken:
            await self._missed.keep(owned.name, taken)
            await publish()
        return True
