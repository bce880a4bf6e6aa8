"""Has lists that grew old ranked anew while nothing else is to be done."""

from collections.abc import Callable

from streams.shards import Refreshing
from streams.worker.outbox import Outbox
from streams.worker.owned_shards import OwnedShards


class Refresher:
    """Refreshes some lists of each shard; `idle` tells whether events are waiting."""

    def __init__(self, owned_shards: OwnedShards, outbox: Outbox, idle: Callable[[], bool]) -> None:
        self._owned_shards = owned_shards
        self._outbox = outbox
        self._idle = idle

    async def refresh(self) -> None:
        """Publish one slice per shard that is still ours.

        What is published goes the way of all lists, one connection, so that a list that an event
        makes later also comes later.

        Raises:
            one of `state.connection.away()`: Redis is away; those lists are refreshed another time.
        """
        for owned in self._owned_shards:
            if not isinstance(owned.shard, Refreshing) or not await self._outbox.ours(owned):
                continue
            await self._owned_shards.standstill.over()
            if owned.closing or not self._idle():
                continue
            publish = owned.shard.refresh().publish
            if publish is not None:
                await publish()
