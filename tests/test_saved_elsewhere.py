"""A state that does not belong to this log, or that nobody can read, is not gone on from."""

import pytest

from contracts.errors import StateRefused, TopicsDiffer
from state.manifest import Log
from state.memory import MemoryStorage
from streams.kafka.log_ends import Bounds
from tests.saving_world import LOG, WHOLE, A, B, Life, run


@pytest.mark.parametrize(
    ("log", "error", "says"),
    [
        (Log("other", LOG.topics, LOG.partitions), StateRefused, "cluster"),
        (Log("cluster", LOG.topics, {A: 3, B: 3}), TopicsDiffer, "--rebuild"),
        (Log("cluster", LOG.topics, LOG.partitions, "crc32"), StateRefused, "PARTITIONER"),
        (Log("cluster", {A: "new", B: "b"}, LOG.partitions), StateRefused, "made anew"),
    ],
)
def test_a_state_of_another_log_is_refused(log: Log, error: type[Exception], says: str) -> None:
    async def work(storage: MemoryStorage) -> None:
        one = Life(storage)
        await one.open(0)
        one.fold(0, 40)
        await one.save()
        with pytest.raises(error, match=says):
            await Life(storage, log).open(0)

    run(work)


@pytest.mark.parametrize("bounds", [Bounds(0, 30), Bounds(41, 90)])
def test_a_state_outside_the_log_is_refused(bounds: Bounds) -> None:
    async def work(storage: MemoryStorage) -> None:
        one = Life(storage)
        await one.open(0)
        one.fold(0, 40)
        await one.save()
        with pytest.raises(StateRefused, match="offset 40"):
            await Life(storage).open(0, bounds={A: bounds, B: WHOLE[B]})

    run(work)


def test_a_state_that_nobody_can_read_is_replayed_while_the_log_is_whole() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, stranger = Life(storage), Life(storage, key="another")
        await one.open(0)
        one.fold(0, 40)
        await one.save()
        await stranger.open(0)
        assert stranger.owned(0).next[A] == 0
        with pytest.raises(StateRefused, match="HEADWATER_SNAPSHOT_KEY"):
            await Life(storage, key="another").open(0, bounds={A: Bounds(5, 90), B: WHOLE[B]})

    run(work)


def test_a_fresh_state_begins_where_the_log_does() -> None:
    async def work(storage: MemoryStorage) -> None:
        life = Life(storage)
        await life.open(0, bounds={A: Bounds(5, 90), B: WHOLE[B]})
        assert life.owned(0).next[A] == 5

    run(work)
