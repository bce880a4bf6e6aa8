"""Saves states with their offsets and gives them back, on any storage.

A snapshot is written in three steps, none of which holds up other clients: new chunks one by one,
then one small step that moves the pointer if the epoch is still the writer's, then what only
older snapshots used is let go. Whoever dies in between leaves chunks behind that age within an
hour; the snapshot before stays as it is.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from contracts.errors import StateRefused
from contracts.keys import SNAP_CHUNK
from state import manifest as page
from state.manifest import Chunk, Log, Manifest, Offsets
from state.storage import Guard, Moved, SnapshotStorage

log = logging.getLogger(__name__)
YOUNG_S = 3_600  # age of a chunk that no pointer names yet
TOUCHED_AT_ONCE = 500


class Draft(NamedTuple):
    """A state to be saved: where it stands, in which log, and its parts.

    `epoch` None is for state without an owner: it is saved if it has come at least as far as
    what is there. `anchor` keeps the newest older snapshot that is not beyond these offsets.
    """

    parts: Mapping[str, bytes]
    offsets: Offsets
    log: Log
    epoch: int | None
    anchor: Offsets | None = None


class Snapshots:
    """The snapshots of all shards, signed with one key, the last `kept` of each."""

    def __init__(
        self,
        storage: SnapshotStorage,
        key: str,
        kept: int,
        refused: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self.storage = storage
        self._key = key
        self._kept = kept
        self._refused = refused
        page.versions()  # looked up on disk the first time, which would hold the event loop

    async def all(self, name: str) -> list[Manifest]:
        """Return the good snapshots of a name, newest first.

        What is not signed with our key is passed over: the reason is logged and told.

        Raises:
            StateRefused: a good one was written by another format or River.
        """
        good = []
        for stored in _unpack((await self.storage.pointer(name))[0]):
            found = page.read(self._key, name, stored)
            if isinstance(found, str):
                self._refuse(name, found)
            else:
                _check_versions(name, found)
                good.append(found)
        return good

    async def holds(self, name: str) -> bool:
        """Tell whether there is any snapshot, good or not."""
        return bool((await self.storage.pointer(name))[0])

    async def load(self, name: str, manifest: Manifest) -> dict[str, bytes] | None:
        """Return a snapshot's parts; None, with the reason logged, if a byte is not as signed."""
        parts: dict[str, bytes] = {}
        for part, chunks in manifest.parts.items():
            pieces = []
            for chunk in chunks:
                data = await self.storage.get(name, chunk)
                if data is None or page.name_of(data) != chunk:
                    what = "is gone" if data is None else "is not what was signed"
                    self._refuse(name, f"piece {chunk[:8]} of '{part}' {what}")
                    return None
                pieces.append(data)
                await asyncio.sleep(0)
            parts[part] = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return parts

    async def save(self, name: str, draft: Draft) -> Moved:
        """Save a state; the outcome says whether it is there now."""
        before, revision = await self.storage.pointer(name)
        known = _pages(self._key, name, before)
        parts = await self._write(name, draft.parts, {c for m in known for c in m[1].chunks()})
        new = self._page(draft, parts)
        kept = self._keep([(page.sign(self._key, name, new), new), *known], draft.anchor)
        moved = await self.storage.move(name, _pack([s for s, _ in kept]), _guard(draft, revision))
        if moved is Moved.YES:
            await self._settle(name, new, known, {c for _, m in kept for c in m.chunks()})
        return moved

    def _page(self, draft: Draft, parts: dict[str, list[Chunk]]) -> Manifest:
        return Manifest(
            draft.log,
            draft.offsets,
            draft.epoch or 0,
            round(time.time(), 3),
            {part: [chunk.name for chunk in chunks] for part, chunks in parts.items()},
            sum(map(len, draft.parts.values())),
            headwater=page.versions()["headwater"],
            river=page.versions()["river"],
        )

    async def _write(
        self, name: str, parts: Mapping[str, bytes], known: set[str]
    ) -> dict[str, list[Chunk]]:
        cut = await asyncio.to_thread(page.cut, parts)
        chunks = {chunk.name: chunk for piece in cut.values() for chunk in piece}
        old = [chunk for chunk in chunks if chunk in known]
        gone = set(old) - set(await self._touch(name, old))
        for chunk in chunks.values():
            if chunk.name not in known or chunk.name in gone:
                begun = time.monotonic()
                await self.storage.put(name, chunk.name, chunk.data, YOUNG_S)
                # Redis has others to answer: it gets twice the time that a chunk took it.
                await asyncio.sleep(2 * (time.monotonic() - begun))
        return cut

    async def _touch(self, name: str, chunks: list[str]) -> list[str]:
        there: list[bool] = []
        for at in range(0, len(chunks), TOUCHED_AT_ONCE):
            some = chunks[at : at + TOUCHED_AT_ONCE]
            there += await self.storage.touch(name, some, SNAP_CHUNK.age_s)
        return [chunk for chunk, is_there in zip(chunks, there, strict=True) if is_there]

    def _keep(
        self, pages: list[tuple[bytes, Manifest]], anchor: Offsets | None
    ) -> list[tuple[bytes, Manifest]]:
        kept, rest = pages[: self._kept], pages[self._kept :]
        if anchor is None or any(page.covers(anchor, m.offsets) for _, m in kept):
            return kept
        return kept + [p for p in rest if page.covers(anchor, p[1].offsets)][:1]

    async def _settle(
        self,
        name: str,
        new: Manifest,
        known: list[tuple[bytes, Manifest]],
        used: set[str],
    ) -> None:
        await self._touch(name, sorted(new.chunks()))
        unused = {chunk for _, m in known for chunk in m.chunks()} - used
        if unused:
            await self.storage.drop(name, sorted(unused))

    def _refuse(self, name: str, why: str) -> None:
        log.warning("snapshot '%s' refused: %s; an older one is used if there is one", name, why)
        self._refused(name, why)


def _guard(draft: Draft, revision: int) -> Guard:
    if draft.epoch is not None:
        return Guard(epoch=draft.epoch)
    return Guard(revision=revision, reached=draft.offsets)


def _pages(key: str, name: str, stored: bytes) -> list[tuple[bytes, Manifest]]:
    found = [(one, page.read(key, name, one)) for one in _unpack(stored)]
    return [(one, m) for one, m in found if isinstance(m, Manifest)]


def _pack(pages: list[bytes]) -> bytes:
    return msgspec.msgpack.encode(pages)


def _unpack(stored: bytes) -> list[bytes]:
    if not stored:
        return []
    try:
        return msgspec.msgpack.decode(stored, type=list[bytes])
    except msgspec.DecodeError:
        return [stored]


def _check_versions(name: str, found: Manifest) -> None:
    river = page.versions()["river"]
    if found.format != page.FORMAT:
        raise StateRefused(
            f"snapshot '{name}' has format {found.format} (headwater {found.headwater}), this "
            f"worker reads {page.FORMAT}; run that version, or `headwater worker --rebuild`"
        )
    if found.river != river:
        raise StateRefused(
            f"snapshot '{name}' was written by river {found.river}, this worker runs {river}; "
            f"pin river=={found.river}, or rebuild from the log: `headwater worker --rebuild`"
        )
