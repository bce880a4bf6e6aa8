"""Saving while other things happen to what is saved."""

import asyncio

from state.memory import MemoryStorage
from state.storage import Guard, Moved
from streams.worker.loader import SHARED
from tests.saving_world import WHOLE, Life


class Slow(MemoryStorage):
    """Moves the pointer of what is shared only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:
        """Wait, then move it."""
        if name == SHARED:
            await self.gate.wait()
        return await super().move(name, value, guard)


def test_a_save_under_way_says_nothing_of_a_state_that_was_loaded_meanwhile() -> None:
    async def work() -> None:
        storage = Slow()
        one, heir = Life(storage), Life(storage)
        await one.open(0)
        one.fold(0, 40)
        await one.save()
        one.fold(0, 60)
        storage.gate.clear()
        saving = asyncio.create_task(one.save())
        await asyncio.sleep(0.05)
        one.owned_shards.drop(one.owned(0))
        await one.loader.shared(one.unit, [0])
        storage.gate.set()
        await saving
        await one.loader.shard(one.unit, 0, WHOLE)
        one.fold(0, 90)
        assert (one.ann(0), one.tea) == (90, 90)
        await one.save()
        await heir.open(0)
        assert (heir.ann(0), heir.tea) == (90, 90)

    asyncio.run(work())
