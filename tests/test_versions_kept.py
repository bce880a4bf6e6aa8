"""Older snapshots stay to go back to, and all that was saved at one instant has one version."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from state.manifest import Log, Manifest
from state.memory import MemoryStorage
from state.snapshots import Draft, Snapshots, Spaced
from state.storage import Moved
from streams.worker.instants import Instants
from streams.worker.loader import SHARED
from tests.saving_world import Life

LOG = Log("cluster", {"interactions": "an-id"}, {"interactions": 4})


def run(work: Callable[[Snapshots], Awaitable[Any]], kept: int = 2) -> Any:
    async def go() -> Any:
        return await work(Snapshots(MemoryStorage(), "secret", kept, spaced=Spaced(3, 10.0)))

    return asyncio.run(go())


def draft(offset: int, at: float, data: bytes | None = None) -> Draft:
    parts = {"users": b"%d" % offset if data is None else data}
    return Draft(parts, {"interactions": {0: offset}}, LOG, 0, created=at)


def instants(found: list[Manifest]) -> list[float]:
    return [manifest.created for manifest in found]


def test_the_first_of_each_stretch_stays_beside_the_newest_and_can_be_loaded() -> None:
    async def work(store: Snapshots) -> Any:
        for offset in range(60):
            await store.save("0", draft(offset, float(offset)))
        found = await store.all("0")
        return instants(found), [await store.load("0", m) for m in found]

    found, parts = run(work)
    assert found == [59.0, 58.0, 50.0, 40.0, 30.0]
    assert [p["users"] for p in parts] == [b"59", b"58", b"50", b"40", b"30"]


def test_a_version_is_found_by_its_name() -> None:
    async def work(store: Snapshots) -> Any:
        await store.save("0", draft(1, 1_795_626_303.0))
        return [await store.version("0", name) for name in ("20261125T170503Z", "20261125T170504Z")]

    found, none = run(work)
    assert (found.version, found.offsets, none) == (
        "20261125T170503Z",
        {"interactions": {0: 1}},
        None,
    )


def test_what_did_not_change_is_saved_again_without_its_parts() -> None:
    async def work(store: Snapshots) -> Any:
        await store.save("0", draft(1, 1.0, b"one"))
        await store.save("0", draft(2, 2.0, b"two"))
        same = draft(2, 3.0)._replace(parts=None)
        moved = [await store.save("0", same._replace(created=at)) for at in (3.0, 4.0, 5.0)]
        found = await store.all("0")
        return moved, instants(found), await store.load("0", found[0])

    moved, found, parts = run(work)
    assert moved == [Moved.YES] * 3
    assert found == [5.0, 4.0, 1.0], "two instants, and the other state before them"
    assert parts == {"users": b"two"}


def test_what_was_never_saved_cannot_be_saved_without_its_parts() -> None:
    nothing = draft(2, 3.0)._replace(parts=None)
    assert run(lambda store: store.save("0", nothing)) is Moved.CHANGED


def test_pieces_of_old_versions_become_young_once_in_a_stretch() -> None:
    touched: list[list[str]] = []

    async def work(store: Snapshots) -> Any:
        touch = store.storage.touch

        async def spy(name: str, chunks: Any, age_s: int) -> list[bool]:
            touched.append(list(chunks))
            return await touch(name, chunks, age_s)

        store.storage.touch = spy  # type: ignore[method-assign]
        for at in (1.0, 2.0, 11.0):
            await store.save("0", draft(int(at), at))

    run(work)
    assert [len(chunks) for chunks in touched] == [1, 1, 3]


def test_one_save_gives_all_shards_and_what_they_share_the_same_version() -> None:
    async def work() -> None:
        life = Life(MemoryStorage())
        await life.open(0, 1)
        for step in range(1, 4):
            life.fold(0, 10 * step)
            await life.save()
        found = [instants(await life.store.all(name)) for name in ("0", "1", SHARED)]
        assert found[0][:2] == found[1] == found[2]
        assert len(set(found[0])) == 2

    asyncio.run(work())


def test_a_lost_snapshot_of_an_idle_shard_is_written_anew() -> None:
    async def work() -> None:
        life = Life(storage := MemoryStorage())
        await life.open(0, 1)
        life.fold(0, 10)
        await life.save()
        storage._pointers.pop("1")
        for step in (2, 3):
            life.fold(0, 10 * step)
            await life.save()
        assert len(await life.store.all("1")) == 1

    asyncio.run(work())


def test_the_first_save_of_a_stretch_is_whole_and_named_by_its_begin() -> None:
    now = [95.0]
    instants = Instants(100.0, lambda: now[0])
    instants.next()
    instants.done()
    found = []
    for now[0] in (98.0, 103.0, 106.0):
        found.append(tuple(instants.next()))
        instants.done()
    assert found == [(98.0, False), (100.0, True), (106.0, False)]


def test_a_save_that_comes_late_or_again_after_it_failed_has_a_name_of_its_own() -> None:
    now = [95.0]
    instants = Instants(100.0, lambda: now[0])
    instants.next()
    instants.done()
    found = []
    for now[0] in (103.0, 104.0, 215.0):
        found.append(tuple(instants.next()))
    assert found == [(100.0, True), (104.0, True), (215.0, True)]


def test_saves_within_one_millisecond_have_names_of_their_own() -> None:
    instants = Instants(100.0, lambda: 7.0)
    assert [instants.next().at for _ in range(4)] == [7.0, 7.001, 7.002, 7.003]


def test_a_clock_that_goes_back_makes_no_version_anew() -> None:
    now = [205.0]
    instants = Instants(100.0, lambda: now[0])
    instants.next()
    instants.done()
    now[0] = 150.0
    assert tuple(instants.next()) == (150.0, False)
