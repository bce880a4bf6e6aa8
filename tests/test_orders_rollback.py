"""A model goes back to a version, at one place of each log; what came since is skipped or not."""

from typing import Any

import pytest

from streams.worker.loader import SHARED
from tests.orders_world import A, Living, Places, run


async def version(worker: Living) -> str:
    """Save, and return what that is called."""
    await worker.save()
    return (await worker.store.all(SHARED))[0].version


async def with_a_version(places: Places) -> tuple[Living, str]:
    """Return a worker that has learned of ten choices of tea, and what that state is called."""
    worker = Living(places)
    await worker.open(0, 1)
    places.produce(0, "tea", 10)
    await worker.settle()
    return worker, await version(worker)


def test_a_model_goes_back_and_what_came_since_is_skipped_but_not_of_people() -> None:
    async def work(places: Places) -> None:
        worker, good = await with_a_version(places)
        places.produce(0, "bad", 10)
        places.produce(1, "bad", 10)
        await worker.settle()
        places.give("rollback", version=good, since="skip")
        await worker.settle()
        places.produce(1, "jam", 3)
        await worker.settle()
        assert worker.unit.items == {"tea": 10, "jam": 3}
        heir = Living(places)
        await heir.open(0, 1)
        await heir.settle()
        assert heir.unit.items == {"tea": 10, "jam": 3}
        shard: Any = heir.owned(0).shard
        assert shard.users["ann"] == 20

    run(work)


@pytest.mark.parametrize("dies", [False, True])
def test_a_model_goes_back_and_learns_again_what_came_since_with_the_orders_on_the_way(
    dies: bool,
) -> None:
    async def work(places: Places) -> None:
        worker, good = await with_a_version(places)
        worker.unit.items["spoiled by a fault of ours"] = 1
        places.produce(0, "jam", 10)
        places.give("freeze")
        await worker.settle()
        places.produce(1, "oat", 10)
        places.give("thaw")
        await worker.settle()
        places.produce(1, "fig", 30)
        await worker.settle()
        await worker.save()
        places.give("rollback", version=good, since="replay")
        if dies:
            for _ in range(2):
                await worker.deliver()
                await worker.steward.look()
            assert worker.reopen
            await worker.open(0, 1)
            await worker.fetch(0, 3)
            await worker.save()
            worker = Living(places)
            await worker.open(0, 1)
        await worker.settle()
        assert worker.unit.items == {"tea": 10, "jam": 10, "fig": 30}
        assert worker.loader.returning == {}
        assert [worker.owned(p).next[A] for p in (0, 1)] == [20, 40]
        await worker.save()
        heir = Living(places)
        await heir.open(0, 1)
        assert heir.unit.items == worker.unit.items
        assert [heir.owned(p).next for p in (0, 1)] == [worker.owned(p).next for p in (0, 1)]

    run(work)


@pytest.mark.parametrize("since", ["skip", "replay"])
def test_a_version_that_is_not_there_is_refused_and_nothing_changes(since: str) -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        places.produce(0, "tea", 10)
        places.give("rollback", version="yesterday", since=since)
        await worker.settle()
        places.produce(0, "tea", 10)
        await worker.settle()
        assert worker.unit.items == {"tea": 20}
        said = {entry.outcome for entry in await places.audit.all()}
        assert len(said) == 1
        assert "has no version 'yesterday'" in said.pop()

    run(work)
