"""Forgetting and saving: no state is saved that has forgotten somebody and does not know it."""

import asyncio

from contracts.topics import CONTROL
from streams.interactions.unit import Interactions
from streams.shards import NoTelemetry
from tests import saved_state
from tests.forget_world import ANN, PEOPLE, TWO, Town, hold_forgotten, never_saw
from tests.orders_world import Living, Places, run
from tests.streams_kit import NOW


def test_nothing_is_saved_between_forgetting_and_having_said_so() -> None:
    """A shared state saved by then, and no shard, would subtract the person once more."""

    async def work(_: Places) -> None:
        town, answers = Town(), asyncio.Event()
        answers.set()

        async def send(_: object) -> None:
            await answers.wait()

        worker = Living(town, Interactions(TWO, NoTelemetry(), send, send))
        await worker.open(0, 1)
        town.crowd(60)
        await worker.settle()
        await worker.save()
        before = await worker.store.all("shared")
        answers.clear()
        town.forget()
        await worker.deliver()
        await worker.steward.look()  # marks the place
        await worker.deliver()
        town.visit(PEOPLE[-1])
        await worker.fetch(1, 9)  # so that there is something to save
        looking = asyncio.create_task(worker.steward.look())
        while ANN in saved_state.of(worker.unit, NOW).owner:
            await asyncio.sleep(0.001)
        saving = asyncio.create_task(worker.save())
        await asyncio.sleep(0.05)
        assert await worker.store.all("shared") == before
        answers.set()
        await asyncio.gather(looking, saving)
        assert (await worker.store.all("shared"))[0].offsets[CONTROL.name][0] == 1
        hold_forgotten(worker, town, never_saw(town))

    run(work)
