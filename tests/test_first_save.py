"""A first save that was broken off leaves what shards share, and no shard: all is learned again."""

import pytest

from tests import saved_state
from tests.forget_world import Town, worker_of
from tests.orders_world import Places, run
from tests.streams_kit import NOW


@pytest.mark.parametrize("first", [True, False])
def test_events_are_judged_and_counted_once(first: bool) -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        if not first:
            town.crowd(40)
            await worker.settle()
            await worker.save()
        town.crowd(60)
        await worker.settle()
        before = [shard.dump()["judged"] for shard in worker.unit.shards.values()]
        wanted = saved_state.of(worker.unit, NOW)
        move = town.storage.move

        async def only_shared(name: str, *args: object) -> object:
            if name != "shared":
                raise ConnectionError("a crash")
            return await move(name, *args)  # type: ignore[arg-type]

        town.storage.move = only_shared  # type: ignore[assignment]
        with pytest.raises(ConnectionError):
            await worker.save()
        town.storage.move = move  # type: ignore[method-assign]
        heir = worker_of(town)
        await heir.open(0, 1)
        await heir.settle()
        assert [shard.dump()["judged"] for shard in heir.unit.shards.values()] == before
        assert saved_state.of(heir.unit, NOW).seen == wanted.seen

    run(work)
