"""A worker's state that is opened, folded and saved in memory, for tests of loading and saving."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from state.manifest import Log
from state.memory import MemoryStorage
from state.snapshots import Snapshots
from streams.kafka.log_ends import Bounds
from streams.shards import Batch, NoTelemetry
from streams.worker.loader import ShardLoader
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.saver import ShardSaver
from tests.counting import CountingUnit
from tests.test_transport import nowhere

A, B = "interactions", "interactions-rekeyed"
LOG = Log("cluster", {A: "a", B: "b"}, {A: 2, B: 2})
WHOLE = {A: Bounds(0, 1_000), B: Bounds(0, 0)}


class Row:
    """A record of one user and one item."""

    key, value, timestamp, headers = b"ann", b"tea", 0, ()

    def __init__(self, offset: int) -> None:
        self.offset = offset


class Life:
    """One worker's state, in a storage that it may share with others."""

    def __init__(self, storage: MemoryStorage, log: Log = LOG, key: str = "secret") -> None:
        self.unit = CountingUnit("t:", nowhere)
        self.store = Snapshots(storage, key, 2)
        self.owned_shards = OwnedShards([self.unit], "")
        self.loader = ShardLoader(self.owned_shards, self.store, log)
        self.fenced: list[str] = []
        self.saver = ShardSaver(
            self.owned_shards, self.loader, self.store, NoTelemetry(), self._note
        )

    def _note(self, owned: OwnedShard) -> None:
        self.fenced.append(owned.name)

    async def open(self, *partitions: int, bounds: Any = None) -> None:
        """Open partitions as after an assignment."""
        await self.loader.shared(self.unit, partitions)
        for partition in partitions:
            await self.loader.shard(self.unit, partition, bounds or WHOLE)

    def fold(self, partition: int, until: int) -> None:
        """Handle events up to an offset and say that their effects are done."""
        self.fold_in(self.owned(partition), until)

    def fold_in(self, owned: OwnedShard, until: int) -> None:
        """Do so with a shard that is ours or followed."""
        rows: list[Any] = [Row(offset) for offset in range(owned.next[A], until)]
        for batch in owned.ready(A, rows):
            owned.shard.handle(Batch(A, owned.partition, batch.records, batch.known_to_shared))
            owned.next[A] = owned.done[A] = batch.records[-1].offset + 1

    async def save(self) -> None:
        """Save the unit."""
        await self.saver.save(self.unit)

    def owned(self, partition: int) -> OwnedShard:
        """Return a partition's shard with its offsets."""
        return next(h for h in self.owned_shards if h.partition == partition)

    @property
    def tea(self) -> int:
        """How often the shared state knows the item."""
        return self.unit.items["tea"]

    def ann(self, partition: int) -> int:
        """How often a shard knows the user."""
        shard: Any = self.owned(partition).shard
        return int(shard.users["ann"])


def run(work: Callable[[MemoryStorage], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        return await work(MemoryStorage())

    return asyncio.run(go())
