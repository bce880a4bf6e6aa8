"""Opening and saving: shards and what they share are continued from one consistent past."""

import asyncio
import threading

import pytest

from contracts.errors import StateRefused
from state.manifest import Manifest
from state.memory import MemoryStorage
from streams.kafka.log_ends import Bounds
from streams.worker.loader import SHARED
from streams.worker.owned_shard import OwnedShard
from tests.saving_world import WHOLE, A, B, Life, run


def test_a_saved_state_goes_on_where_it_stood() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        await one.open(0, 1)
        one.fold(0, 40)
        one.fold(1, 7)
        await one.save()
        await two.open(0, 1)
        assert [two.owned(p).next[A] for p in (0, 1)] == [40, 7]
        assert (two.ann(0), two.ann(1), two.tea) == (40, 7, 47)

    run(work)


async def crash_between(storage: MemoryStorage, one: Life) -> Manifest:
    """Save all at 40, then only the shared state at 60; return the shared snapshot of 40."""
    await one.open(0)
    one.fold(0, 40)
    await one.save()
    one.fold(0, 60)
    await storage.claim("0")
    await one.save()
    assert one.fenced == ["0"]
    return (await one.store.all(SHARED))[1]


def test_after_a_crash_between_shared_and_shard_both_go_on_from_the_save_before() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        await crash_between(storage, one)
        await two.open(0)
        assert (two.owned(0).next[A], two.tea) == (40, 40)
        two.fold(0, 70)
        assert (two.ann(0), two.tea) == (70, 70)

    run(work)


def test_after_many_crashes_between_shared_and_shard_there_is_still_one_that_fits() -> None:
    async def work(storage: MemoryStorage) -> None:
        one = Life(storage)
        await crash_between(storage, one)
        for until in (50, 80, 90):
            heir = Life(storage)
            await heir.open(0)
            assert (heir.owned(0).next[A], heir.tea) == (40, 40)
            heir.fold(0, until)
            if until > 60:
                await storage.claim("0")
            await heir.save()  # not yet beyond the shared state of 60, or fenced
        last = Life(storage)
        await last.open(0)
        last.fold(0, 100)
        assert (last.ann(0), last.tea) == (100, 100)
        await last.save()
        after = Life(storage)
        await after.open(0)
        assert (after.owned(0).next[A], after.tea) == (100, 100)

    run(work)


def test_where_the_shared_state_is_ahead_a_replay_teaches_items_only_once() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        before = await crash_between(storage, one)
        await storage.drop(SHARED, sorted(before.chunks()))
        await two.open(0)
        assert (two.owned(0).next[A], two.tea) == (40, 60)
        two.fold(0, 70)
        assert (two.ann(0), two.tea) == (70, 70)

    run(work)


def test_a_lost_shared_state_is_learned_again_from_the_log() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        await one.open(0)
        one.fold(0, 40)
        await one.save()
        manifest = (await one.store.all(SHARED))[0]
        await storage.drop(SHARED, sorted(manifest.chunks()))
        await two.open(0)
        two.fold(0, 50)
        assert (two.ann(0), two.tea) == (50, 50)

    run(work)


def test_two_workers_never_count_a_user_twice_when_one_takes_over() -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        await one.open(0)
        await two.open(1)
        for step in range(1, 6):
            one.fold(0, 10 * step)
            two.fold(1, 3 * step)
            await one.save()
            await two.save()
        heir = Life(storage)
        await heir.open(0, 1)
        heir.fold(0, 100)
        heir.fold(1, 100)
        assert (heir.ann(0), heir.ann(1), heir.tea) == (100, 100, 200)

    run(work)


async def beside(storage: MemoryStorage) -> tuple[Life, Life, OwnedShard]:
    """Return one who owns partition 0, another who owns 1, and the other's view of 0."""
    one, two = Life(storage), Life(storage)
    await one.open(0)
    await two.open(1)
    return one, two, await two.loader.follow(two.unit, 0, WHOLE)


def test_an_owner_is_saved_also_where_a_worker_that_follows_it_is_far_ahead() -> None:
    async def work(storage: MemoryStorage) -> None:
        (one, two, followed), heir = await beside(storage), Life(storage)
        two.fold(1, 10)
        two.fold_in(followed, 90)
        await two.save()
        one.fold(0, 40)
        await one.save()
        await heir.open(0)
        assert (heir.owned(0).next[A], heir.tea) == (40, 100)
        heir.fold(0, 95)
        assert (heir.ann(0), heir.tea) == (95, 105)

    run(work)


def test_whose_shared_state_was_refused_saves_it_when_it_has_passed_the_other() -> None:
    async def work(storage: MemoryStorage) -> None:
        (one, two, followed), heir = await beside(storage), Life(storage)
        one.fold(0, 40)
        await one.save()
        two.fold(1, 10)
        await two.save()  # neither has come as far as the other
        two.fold_in(followed, 40)
        await two.save()
        await heir.open(0, 1)
        assert (heir.owned(0).next[A], heir.owned(1).next[A], heir.tea) == (40, 10, 50)

    run(work)


def test_what_is_being_copied_is_not_exchanged_for_what_is_loaded() -> None:
    async def work(storage: MemoryStorage) -> None:
        life, copied = Life(storage), threading.Event()
        copying = asyncio.create_task(
            life.owned_shards.standstill.during(lambda: copied.wait(10.0))
        )
        await asyncio.sleep(0)
        life.unit.items["tea"] = 5
        opening = asyncio.create_task(life.open(0))
        for _ in range(3):
            await asyncio.sleep(0.01)
        assert life.tea == 5
        copied.set()
        await asyncio.gather(copying, opening)
        assert life.tea == 0

    run(work)


@pytest.mark.parametrize(("first", "start", "warns"), [(4, 5, False), (6, 50, True)])
def test_who_takes_over_reads_on_where_shared_state_and_log_allow(
    first: int, start: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(storage: MemoryStorage) -> None:
        one, two = Life(storage), Life(storage)
        await one.open(0, 1)
        one.fold(1, 5)
        await one.save()
        await two.open(1)
        for step in range(1, 6):
            one.fold(0, 10 * step)
            two.fold(1, 10 * step)
            await one.save()
            await two.save()
        heir = Life(storage)
        await heir.open(1, bounds={A: Bounds(first, 1_000), B: WHOLE[B]})
        assert heir.owned(1).next[A] == start
        heir.fold(1, 60)
        assert heir.ann(1) == 60
        assert ("items miss" in caplog.text) is warns

    run(work)


def test_a_log_that_reaches_no_snapshot_is_refused() -> None:
    async def work(storage: MemoryStorage) -> None:
        one = Life(storage)
        await one.open(0)
        for until in (20, 40):
            one.fold(0, until)
            await one.save()
        with pytest.raises(StateRefused, match="offset 40"):
            await Life(storage).open(0, bounds={A: Bounds(41, 90), B: WHOLE[B]})

    run(work)


def test_what_is_not_done_is_not_saved() -> None:
    async def work(storage: MemoryStorage) -> None:
        life = Life(storage)
        await life.open(0)
        life.fold(0, 40)
        life.owned(0).done[A] = 20
        saver = asyncio.create_task(life.save())
        await asyncio.sleep(0.05)
        assert await life.store.all("0") == []
        life.owned(0).done[A] = 40
        await saver
        assert (await life.store.all("0"))[0].offsets[A] == {0: 40}

    run(work)


def test_nothing_new_is_not_saved_again() -> None:
    async def work(storage: MemoryStorage) -> None:
        life = Life(storage)
        await life.open(0)
        life.fold(0, 40)
        await life.save()
        await life.save()
        assert len(await life.store.all("0")) == 1

    run(work)
