"""Has lists made that somebody has looked for and that were not there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from state.misses import NotTold, Wanted
from streams.shards import Publish
from streams.worker.outbox import Outbox
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
AGAIN_S, SELDOM_S = 1.0, 60.0


@runtime_checkable
class Asking(Protocol):
    """A shard some of whose answers are made for those who ask."""

    def ask(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Note what is wanted; return what of it is this shard's to make."""

    def answer(self, wanted: Sequence[Wanted]) -> Publish:
        """Return what publishes what was asked for, as it is now."""


class Missed(Protocol):
    """Tells what readers have looked for in vain; see `state.misses`."""

    async def told(self) -> bool:
        """Begin; return False where that cannot be seen to."""

    def listen(self) -> AsyncIterator[list[Wanted]]:
        """Yield it, now and then nothing, for ever."""

    async def keep(self, shard: str, wanted: Sequence[Wanted]) -> None:
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
        # What was wanted before a shard was opened, of users whom it does not know yet: they may
        # come with what it learns again.
        self._earlier = WeakKeyDictionary[OwnedShard, list[Wanted]]()

    async def run(self) -> None:
        """Do so until cancelled; a Redis that was away is listened to again."""
        while True:
            try:
                if not await self._missed.told():
                    log.warning(
                        "it is not known whether Redis names keys that are looked for in vain, "
                        "which has lists of scenarios made"
                    )
                async for wanted in self._missed.listen():
                    for owned in self._owned_shards:
                        await self._answer(owned, wanted)
            except self._away:
                await asyncio.sleep(AGAIN_S)
            except NotTold as error:
                log.warning(
                    "Redis does not let us hear of keys that are looked for in vain (%s), so no "
                    "lists of scenarios are made for those who ask",
                    error,
                )
                await asyncio.sleep(SELDOM_S)

    async def _answer(self, owned: OwnedShard, wanted: Sequence[Wanted]) -> None:
        """Publish what is wanted of a shard, now or before it was opened here."""
        shard = owned.shard
        if not isinstance(shard, Asking):
            return
        if owned not in self._earlier:
            self._earlier[owned] = await self._missed.kept(owned.name)
        earlier = self._earlier[owned]
        taken = shard.ask([*wanted, *earlier])
        if not taken or not await self._outbox.ours(owned):
            return
        await self._missed.keep(owned.name, taken)
        await owned.effects_done(dict(owned.next))  # lists made before must not come after these
        await self._owned_shards.standstill.over()
        if not owned.closed and owned.shard is shard:
            await shard.answer(taken)()
            self._earlier[owned] = [one for one in earlier if one not in taken]
