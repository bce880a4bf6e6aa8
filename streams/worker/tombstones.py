"""Turns tombstones of `users` into orders to forget: once each, by who has the person's partition.

A tombstone is named by its place in the log, and so is its order: whoever reads it again, or gives
it at the same time as another worker, changes nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from contracts.control import FORGET, Points
from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from streams.control.giving import about
from streams.control.schedule import Schedule
from streams.shards import Message
from streams.worker.owned_shards import OwnedShards

LOOK_EVERY_S = 1.0
Ends = Callable[[], Awaitable[Points]]
Send = Callable[[list[Message]], Awaitable[None]]


class Tombstones:
    """Gives orders; `ends` asks where the logs end, `unpublish` takes away what bears an id.

    Args:
        schedule: the orders that there are.
        sealed: signs an order.
        send: produces it, waiting for Kafka.
    """

    def __init__(
        self,
        settings: Settings,
        owned_shards: OwnedShards,
        schedule: Schedule,
        sealed: Callable[[Any], Message],
        send: Send,
    ) -> None:
        self.ends: Ends
        self.unpublish: Callable[[str], Awaitable[Any]]
        self._settings = settings
        self._owned_shards = owned_shards
        self._schedule = schedule
        self._sealed = sealed
        self._send = send
        self._waiting: dict[str, str] = {}

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages of `users`, whatever they are."""
        for record in records:
            if record.value is None and record.key:
                name = f"users-{record.offset}-{record.timestamp}"
                self._waiting[name] = record.key.decode("utf-8", "replace")
        await self.look()

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Give what is not given yet and is ours to give."""
        self._waiting = {n: user for n, user in self._waiting.items() if n not in self._schedule}
        own = self._own()
        if not (self._waiting and own):
            return
        ends = await self.ends()
        for name, user in list(self._waiting.items()):
            order = about(self._settings, user, ends)
            if own.isdisjoint(order.at[INTERACTIONS.name]):
                continue
            order = msgspec.structs.replace(
                order, id=name, ts=time.time(), who=FORGET, why="a tombstone in users"
            )
            await self._send([self._sealed(order)])
            await self.unpublish(user)
            self._waiting.pop(name, None)

    def _own(self) -> set[int]:
        held = self._owned_shards
        return {owned.partition for owned in held if INTERACTIONS.name in owned.unit.topics}
