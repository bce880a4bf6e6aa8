"""Every storage keeps the same promises: the Redis one and its memory twin."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest

from contracts.errors import StateRefused
from contracts.settings import Settings
from state import manifest
from state.manifest import CHUNK_BYTES, Chunk, Log, Offsets
from state.memory import MemoryStorage
from state.snapshots import Draft, Snapshots
from state.storage import Moved, SnapshotStorage

LOG = Log("cluster", {"interactions": "an-id"}, {"interactions": 4})
Work = Callable[[Snapshots], Awaitable[Any]]


class Desk:
    """Runs one piece of work after the other in a storage, each on a loop of its own."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.refusals: list[str] = []

    def run(self, work: Work, key: str = "secret", kept: int = 2) -> Any:
        """Return what the work returns."""

        async def go() -> Any:
            storage, close = self._make()
            try:
                return await work(
                    Snapshots(storage, key, kept, lambda _, why: self.refusals.append(why))
                )
            finally:
                await close()

        return asyncio.run(go())


@pytest.fixture(params=["memory", "redis"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if request.param == "memory":
        storage = MemoryStorage()

        async def nothing() -> None: ...

        yield Desk(lambda: (storage, nothing))
    else:
        from state.connection import connect
        from state.redis_storage import RedisStorage

        settings: Settings = request.getfixturevalue("settings")

        def make() -> tuple[SnapshotStorage, Callable[[], Awaitable[None]]]:
            client = connect(settings)
            return RedisStorage(client, settings.key_prefix), client.aclose

        yield Desk(make)


def at(offset: int) -> Offsets:
    return {"interactions": {0: offset}}


def draft(offset: int, epoch: int | None, data: bytes = b"state") -> Draft:
    return Draft({"users": data, "none": b""}, at(offset), LOG, epoch)


async def saved(store: Snapshots, offset: int, data: bytes = b"state") -> Moved:
    epoch = (await store.storage.epochs(["0"]))[0]
    return await store.save("0", draft(offset, epoch, data))


def test_what_was_saved_comes_back_byte_for_byte(desk: Desk) -> None:
    data = bytes(range(256)) * 10_000

    async def work(store: Snapshots) -> Any:
        epoch = await store.storage.claim("0")
        assert await store.save("0", draft(7, epoch, data)) is Moved.YES
        (found,) = await store.all("0")
        return found, await store.load("0", found)

    found, parts = desk.run(work)
    assert (found.offsets, found.epoch, found.log) == (at(7), 1, LOG)
    assert parts == {"users": data, "none": b""}


def test_nothing_is_there_before_the_first(desk: Desk) -> None:
    assert desk.run(lambda store: store.all("0")) == []


def test_a_claim_fences_whoever_wrote_before(desk: Desk) -> None:
    async def work(store: Snapshots) -> list[Moved]:
        old, new = await store.storage.claim("0"), await store.storage.claim("0")
        return [await store.save("0", draft(9, old)), await store.save("0", draft(3, new))]

    assert desk.run(work) == [Moved.FENCED, Moved.YES]
    assert [m.offsets for m in desk.run(lambda store: store.all("0"))] == [at(3)]


def test_only_the_last_are_kept_and_their_chunks(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        for offset in range(4):
            await saved(store, offset, b"%d" % offset)
        first = manifest.name_of(b"0"), manifest.name_of(b"2")
        there = await store.storage.touch("0", first, 60)
        return [m.offsets for m in await store.all("0")], there

    assert desk.run(work) == ([at(3), at(2)], [False, True])


def test_an_older_one_is_kept_where_the_shared_state_needs_it(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        for offset in range(6):
            wanted = draft(offset, 0, b"%d" % offset)._replace(anchor=at(1))
            await store.save("0", wanted)
        return [(m.offsets, await store.load("0", m)) for m in await store.all("0")]

    found = desk.run(work)
    assert [offsets for offsets, _ in found] == [at(5), at(4), at(1)]
    assert all(parts is not None for _, parts in found)


def test_only_chunks_that_changed_are_written_again(desk: Desk) -> None:
    one, other = b"a" * CHUNK_BYTES, b"b" * CHUNK_BYTES
    written: list[str] = []

    async def work(store: Snapshots) -> Any:
        await saved(store, 1, one + other)
        put = store.storage.put

        async def spy(name: str, chunks: Sequence[Chunk], age_s: int) -> None:
            written.extend(chunk.name for chunk in chunks)
            await put(name, chunks, age_s)

        store.storage.put = spy  # type: ignore[method-assign]
        await saved(store, 2, one + b"c" * CHUNK_BYTES)

    desk.run(work)
    assert written == [manifest.name_of(b"c" * CHUNK_BYTES)]


def test_small_chunks_go_together_and_none_with_too_many(desk: Desk) -> None:
    sizes: list[int] = []

    async def work(store: Snapshots) -> Any:
        put = store.storage.put

        async def spy(name: str, chunks: Sequence[Chunk], age_s: int) -> None:
            sizes.append(sum(len(chunk.data) for chunk in chunks))
            await put(name, chunks, age_s)

        store.storage.put = spy  # type: ignore[method-assign]
        parts = {str(n): str(n).encode() * (CHUNK_BYTES // 10) for n in range(10, 40)}
        draft = Draft(parts, at(1), LOG, await store.storage.claim("0"))
        await store.save("0", draft)
        return parts == await store.load("0", (await store.all("0"))[0])

    assert desk.run(work)
    assert len(sizes) < 10
    assert max(sizes) <= CHUNK_BYTES


def test_a_chunk_that_redis_lost_is_written_again(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        await saved(store, 1)
        await store.storage.drop("0", [manifest.name_of(b"state")])
        await saved(store, 2)
        return await store.load("0", (await store.all("0"))[0])

    assert desk.run(work) == {"users": b"state", "none": b""}


def test_another_key_is_refused_with_the_reason(desk: Desk) -> None:
    desk.run(lambda store: saved(store, 1))
    assert desk.run(lambda store: store.all("0"), key="another") == []
    assert "HEADWATER_SNAPSHOT_KEY" in desk.refusals[0]


def test_a_changed_byte_is_refused_and_the_older_one_is_good(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        await saved(store, 1, b"old")
        await saved(store, 2, b"new")
        await store.storage.put("0", [Chunk(manifest.name_of(b"new"), memoryview(b"bad"))], 60)
        return [await store.load("0", m) for m in await store.all("0")]

    newest, older = desk.run(work)
    assert newest is None
    assert older == {"users": b"old", "none": b""}
    assert "not what was signed" in desk.refusals[0]


def test_a_snapshot_of_another_name_is_refused(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        await saved(store, 1)
        stolen, _ = await store.storage.pointer("0")
        await store.storage.move("1", stolen, manifest_guard())
        return await store.all("1")

    assert desk.run(work) == []


def manifest_guard() -> Any:
    from state.storage import Guard

    return Guard(epoch=None)


def test_a_pointer_of_nonsense_is_refused(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        await store.storage.move("0", b"nonsense", manifest_guard())
        found = await store.all("0")
        await saved(store, 5)
        return found, len(await store.all("0"))

    assert desk.run(work) == ([], 1)


def test_shared_state_never_goes_back(desk: Desk) -> None:
    def shared(**reached: int) -> Draft:
        offsets = {"interactions": {int(p[1:]): o for p, o in reached.items()}}
        return Draft({"items": b"x"}, offsets, LOG, None)

    async def work(store: Snapshots) -> list[Moved]:
        return [
            await store.save("shared", shared(p0=5)),
            await store.save("shared", shared(p0=4, p1=9)),
            await store.save("shared", shared(p1=9)),
            await store.save("shared", shared(p0=5, p1=9)),
        ]

    assert desk.run(work) == [Moved.YES, Moved.BEHIND, Moved.BEHIND, Moved.YES]


def test_another_river_is_refused_with_what_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "versions", lambda: {"headwater": "9", "river": "0.1"})
        desk.run(lambda store: saved(store, 1))
    with pytest.raises(StateRefused, match=r"river 0\.1.*pin river==0\.1"):
        desk.run(lambda store: store.all("0"))


def test_all_names_that_have_snapshots_are_told(desk: Desk) -> None:
    async def work(store: Snapshots) -> list[str]:
        for name in ("shared", "predictors:0", "0"):
            await store.save(name, draft(1, 0))
        await store.storage.claim("1")
        return await store.storage.names()

    assert desk.run(work) == ["0", "predictors:0", "shared"]


def test_a_replaced_state_may_go_back_and_its_owner_is_fenced(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        epoch = await store.storage.claim("0")
        shared = draft(9, None)
        for offset, data in ((3, b"old"), (9, b"new")):
            await store.save("0", draft(offset, epoch, data))
            await store.save("shared", draft(offset, None, data))
        for name in ("0", "shared"):
            await store.replace(name, (await store.all(name))[1])
        found = [[m.offsets for m in await store.all(name)] for name in ("0", "shared")]
        moved = [
            await store.save("0", draft(10, epoch)),
            await store.save("shared", shared._replace(offsets=at(4))),
        ]
        there = await store.storage.touch("0", [manifest.name_of(b"new")], 60)
        return found, moved, there

    assert desk.run(work) == ([[at(3)], [at(3)]], [Moved.FENCED, Moved.YES], [False])


def test_a_name_that_is_replaced_by_nothing_has_nothing(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        await store.save("0", draft(1, 0))
        await store.replace("0", None)
        return await store.storage.names(), await store.all("0")

    assert desk.run(work) == ([], [])


def test_clearing_leaves_nothing_but_fences_everyone(desk: Desk) -> None:
    async def work(store: Snapshots) -> Any:
        epoch = await store.storage.claim("0")
        await store.save("0", draft(1, epoch))
        await store.storage.clear()
        return await store.all("0"), await store.save("0", draft(2, epoch))

    assert desk.run(work) == ([], Moved.FENCED)
