"""A version in one file: all of it, or a reason why not."""

import asyncio
import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from contracts import exits
from contracts.errors import InputError
from contracts.settings import Settings
from state import archive, versions
from state.manifest import Log, Manifest
from state.memory import MemoryStorage
from state.opened import opened
from state.snapshots import Draft, Snapshots
from streams import backup
from tests.backup_kit import command

KEY = "a key for tests only"
LOG = Log("cluster", {"interactions": "an-id"}, {"interactions": 1})


async def save(store: Snapshots, at: float, data: bytes = b"state") -> dict[str, Manifest]:
    """Save a shard and what it shares at one instant."""
    epoch = (await store.storage.epochs(["0"]))[0] or await store.storage.claim("0")
    offsets = {"interactions": {0: int(at)}}
    for name, owner in (("shared", None), ("0", epoch)):
        await store.save(name, Draft({"part": data}, offsets, LOG, owner, created=at))
    return {name: (await store.all(name))[0] for name in ("0", "shared")}


def written(store: Snapshots, shards: dict[str, Manifest]) -> io.BytesIO:
    out = io.BytesIO()
    asyncio.run(archive.write(store, shards, KEY, out))
    return out


def test_what_was_written_is_restored_and_all_else_goes() -> None:
    one, two = (Snapshots(MemoryStorage(), KEY, 2) for _ in range(2))
    shards = asyncio.run(save(one, 5.0, b"x" * 3_000_000))
    file = written(one, shards)

    async def restore() -> None:
        await save(two, 9.0, b"other")
        await two.save("7", Draft({"part": b"y"}, {}, LOG, 0))
        await archive.restore(two, file, archive.check(file, KEY), {})
        assert await two.storage.names() == ["0", "shared"]
        assert [await two.all(name) for name in ("0", "shared")] == [[m] for m in shards.values()]
        assert await two.load("0", shards["0"]) == {"part": b"x" * 3_000_000}

    asyncio.run(restore())


def test_a_missing_shard_makes_a_version_incomplete() -> None:
    store = Snapshots(MemoryStorage(), KEY, 2)
    shards = asyncio.run(save(store, 5.0))
    (found,) = versions.group({"0": [shards["0"]], "shared": []})
    assert found.complete
    (found,) = versions.group({"0": [], "shared": [shards["shared"]]})
    assert found.missing == ["interactions 0"]


def test_a_piece_that_is_gone_is_told() -> None:
    store = Snapshots(MemoryStorage(), KEY, 2)
    shards = asyncio.run(save(store, 5.0))
    asyncio.run(store.storage.drop("0", sorted(shards["0"].chunks())))
    with pytest.raises(archive.Gone, match="of '0'"):
        written(store, shards)


def test_a_full_disk_is_said() -> None:
    store = Snapshots(MemoryStorage(), KEY, 2)
    shards = asyncio.run(save(store, 5.0, b"x" * 100_000))
    no_room = pytest.raises(InputError, match="No space left")
    with Path("/dev/full").open("wb", buffering=0) as full, no_room:
        asyncio.run(archive.write(store, shards, KEY, cast("BinaryIO", full)))


def test_pieces_of_one_page_do_not_count_for_another() -> None:
    store = Snapshots(MemoryStorage(), KEY, 2)
    file = written(store, asyncio.run(save(store, 5.0)))
    frames = [frame for frame in archive.frames(file) if frame.name != "0" or not frame.chunk]
    out = io.BytesIO(archive.BEGIN)
    out.seek(0, io.SEEK_END)
    for frame in frames:
        archive._put(out, frame)
    with pytest.raises(InputError, match="1 pieces of '0' are missing"):
        archive.check(out, KEY)


def test_a_version_that_was_dropped_meanwhile_is_followed_by_an_older_one(
    settings: Settings, tmp_path: Path
) -> None:
    async def two() -> None:
        async with opened(settings) as store:
            await save(store, 5.0, b"old")
            newest = await save(store, 9.0, b"new")
            await store.storage.drop("0", sorted(newest["0"].chunks()))

    asyncio.run(two())
    assert backup.export(settings, tmp_path / "file").created == 5.0
    with pytest.raises(InputError, match="dropped while it was read"):
        backup.export(settings, tmp_path / "file", "19700101T000009Z")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "argv",
    [
        ("export",),
        ("list", "file"),
        ("list", "--version", "x"),
        ("export", "file", "--adopt", "same"),
        ("export", "file", "--json"),
        ("import", "file", "--signed-by", "nowhere"),
        ("import", "nowhere"),
        ("export", "file", "--version", "20000101T000000Z"),
        ("export", "no/such/folder/file"),
    ],
)
def test_mistakes_are_named_in_one_line(
    settings: Settings, argv: tuple[str, ...], capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert command(settings, "snapshot", *argv) == exits.USAGE.code
    assert capsys.readouterr().err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_nothing_saved_is_said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(settings, "versions") == exits.OK.code
    assert command(settings, "snapshot", "list") == exits.OK.code
    assert capsys.readouterr().out.startswith("no versions")


def test_a_refused_signature_stands_in_the_list(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one() -> None:
        async with opened(settings) as store:
            monkeypatch.setattr(store, "_key", "quite another key")
            await save(store, 5.0)

    asyncio.run(one())
    assert command(settings, "snapshot", "list") == exits.OK.code
    assert capsys.readouterr().out.count("HEADWATER_SNAPSHOT_KEY") == 2
