"""Saves states with their offsets and gives them back, on any storage.

A snapshot is written in three steps, none of which holds up other clients: new chunks one by one,
then one small step that moves the pointer if the epoch is still the writer's, then what only
older snapshots used is let go. Whoever dies in between leaves chunks behind that age within an
hour; the snapshot before stays as it is. Beside the newest, older ones are kept that lie further
apart: versions to go back to. Chunks that did not change are there once, whoever names them.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from contracts.errors import StateRefused
from contracts.keys import SNAP_CHUNK
from state import manifest as page
from state import pages
from state.manifest import Chunk, Log, Manifest, Offsets
from state.pages import Good, Page
from state.storage import Guard, Moved, SnapshotStorage

log = logging.getLogger(__name__)
YOUNG_S = 3_600  # age of a chunk that no pointer names yet
TOUCHED_AT_ONCE = 500
READ_AT_ONCE = 8  # chunks
LONGEST_REST_S = 0.01  # 1 MB keeps Redis busy for 1 or 2 ms


class Spaced(NamedTuple):
    """Older snapshots to keep: the first of each of the last `kept` stretches of `every_s`."""

    kept: int = 0
    every_s: float = 3_600.0


NOT_SPACED = Spaced()


class Draft(NamedTuple):
    """A state to be saved: where it stands, in which log, and its parts.

    `parts` None is for state that did not change: those of the newest snapshot that stands at
    the same offsets. `epoch` None is for state without an owner: it is saved if it has come at
    least as far as what is there. `anchor` keeps the newest older snapshot that is not beyond
    these offsets. `floor` lets all older snapshots go that are not at least at these. `created` is
    the instant of the copy, None is now. While one is `hurried` it does not wait for Redis' others.
    The anchor is right while these `claims` hold: else what shards have saved last may be lost.
    """

    parts: Mapping[str, bytes] | None
    offsets: Offsets
    log: Log
    epoch: int | None
    anchor: Offsets | None = None
    created: float | None = None
    floor: Offsets | None = None
    hurried: Callable[[], bool] = lambda: False
    claims: Sequence[str] = ()


class Snapshots:
    """The snapshots of all shards, signed with one key: of each the last `kept`, and `spaced`."""

    def __init__(
        self,
        storage: SnapshotStorage,
        key: str,
        kept: int,
        refused: Callable[[str, str], None] = lambda *_: None,
        spaced: Spaced = NOT_SPACED,
    ) -> None:
        self.storage = storage
        self.spaced = spaced
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
        for found in await self.pages(name):
            if found.manifest is None:
                self._refuse(name, found.why)
            elif unlike := pages.unlike(name, found.manifest):
                raise StateRefused(unlike)
            else:
                good.append(found.manifest)
        return good

    async def pages(self, name: str) -> list[Page]:
        """Return all snapshots of a name, newest first; of each that is refused the reason."""
        return pages.unpack(self._key, name, (await self.storage.pointer(name))[0])

    async def version(self, name: str, version: str) -> Manifest | None:
        """Return the good snapshot of a name that was taken at this instant (`Manifest.version`).

        Raises:
            StateRefused: as `all`.
        """
        return next((m for m in await self.all(name) if m.version == version), None)

    async def holds(self, name: str) -> bool:
        """Tell whether there is any snapshot, good or not."""
        return bool((await self.storage.pointer(name))[0])

    async def load(self, name: str, manifest: Manifest) -> dict[str, bytes] | None:
        """Return a snapshot's parts; None, with the reason logged, if a byte is not as signed."""
        wanted = [(part, chunk) for part, chunks in manifest.parts.items() for chunk in chunks]
        pieces: dict[str, list[bytes]] = {part: [] for part in manifest.parts}
        for at in range(0, len(wanted), READ_AT_ONCE):
            some = wanted[at : at + READ_AT_ONCE]
            found = await self.storage.get(name, [chunk for _, chunk in some])
            signed = await asyncio.to_thread(_signed, some, found)
            for (part, chunk), data, good in zip(some, found, signed, strict=True):
                if data is None or not good:
                    what = "is gone" if data is None else "is not what was signed"
                    self._refuse(name, f"piece {chunk[:8]} of '{part}' {what}")
                    return None
                pieces[part].append(data)
        return {part: p[0] if len(p) == 1 else b"".join(p) for part, p in pieces.items()}

    async def save(self, name: str, draft: Draft) -> Moved:
        """Save a state; the outcome says whether it is there now.

        `Moved.CHANGED` for a draft without parts: no snapshot stands there, save it with them.
        """
        before, revision = await self.storage.pointer(name)
        known = pages.good(self._key, name, before)
        if draft.parts is None:
            found = [k.manifest for k in known if k.manifest.offsets == draft.offsets]
            if not found:
                return Moved.CHANGED
            parts, size = found[0].parts, found[0].size
        else:
            used = {c for k in known for c in k.manifest.chunks()}
            parts = await self._write(name, draft, used)
            size = sum(map(len, draft.parts.values()))
        new = _page(draft, parts, size)
        above = [k for k in known if page.covers(k.manifest.offsets, draft.floor or {})]
        kept = self._keep([Good(page.sign(self._key, name, new), new), *above], draft.anchor)
        value = pages.pack(k.stored for k in kept)
        moved = await self.storage.move(name, value, _guard(draft, revision))
        if moved is Moved.YES:
            await self._settle(name, known, kept)
        return moved

    async def _write(self, name: str, draft: Draft, known: set[str]) -> dict[str, list[str]]:
        cut = await asyncio.to_thread(page.cut, draft.parts or {})
        chunks = {chunk.name: chunk for piece in cut.values() for chunk in piece}
        old = [chunk for chunk in chunks if chunk in known]
        gone = set(old) - set(await self._touch(name, old))
        new = [c for c in chunks.values() if c.name not in known or c.name in gone]
        for some in _loads(new):
            begun = time.monotonic()
            await self.storage.put(name, some, YOUNG_S)
            if not draft.hurried():
                # Redis has others to answer: it gets twice the time that these took it, unless it
                # was our own loop that took so long.
                await asyncio.sleep(min(2 * (time.monotonic() - begun), LONGEST_REST_S))
        return {part: [chunk.name for chunk in pieces] for part, pieces in cut.items()}

    async def _touch(self, name: str, chunks: list[str]) -> list[str]:
        there: list[bool] = []
        for at in range(0, len(chunks), TOUCHED_AT_ONCE):
            some = chunks[at : at + TOUCHED_AT_ONCE]
            there += await self.storage.touch(name, some, SNAP_CHUNK.age_s)
        return [chunk for chunk, is_there in zip(chunks, there, strict=True) if is_there]

    def _keep(self, found: list[Good], anchor: Offsets | None) -> list[Good]:
        """Return the pages to keep: the newest, other states before them, versions, the anchor."""
        stretch = [math.floor(m.created / self.spaced.every_s) for _, m in found]
        first_of = dict(zip(stretch, range(len(found)), strict=True))
        state_of = {str(m.parts): n for n, (_, m) in reversed(list(enumerate(found)))}
        wanted = {*range(self._kept), *sorted(state_of.values())[: self._kept]}
        wanted |= {first_of[s] for s in sorted(first_of, reverse=True)[: self.spaced.kept]}
        if anchor is not None:
            fits = [n for n, (_, m) in enumerate(found) if page.covers(anchor, m.offsets)]
            if not wanted.intersection(fits):
                wanted |= set(fits[:1])
        return [good for n, good in enumerate(found) if n in wanted]

    async def _settle(self, name: str, known: list[Good], kept: list[Good]) -> None:
        # Older chunks are as old as their last save: once in a stretch they become young too.
        every_s = self.spaced.every_s
        newest = kept[0].manifest
        anew = not known or known[0].manifest.created // every_s != newest.created // every_s
        used = {chunk for k in kept for chunk in k.manifest.chunks()}
        await self._touch(name, sorted(used if anew else newest.chunks()))
        unused = {chunk for k in known for chunk in k.manifest.chunks()} - used
        if unused:
            await self.storage.drop(name, sorted(unused))

    async def replace(self, name: str, manifest: Manifest | None) -> None:
        """Let a name have this snapshot only, whose chunks are there, or none; fence its owner."""
        known = pages.good(self._key, name, (await self.storage.pointer(name))[0])
        epoch = await self.storage.forget(name)
        kept = [] if manifest is None else [Good(page.sign(self._key, name, manifest), manifest)]
        if manifest is not None:
            reached = None if manifest.epoch else manifest.offsets
            await self.storage.move(
                name, pages.pack(k.stored for k in kept), Guard(epoch=epoch, reached=reached)
            )
            await self._settle(name, known, kept)
        else:
            await self.storage.drop(name, sorted({c for k in known for c in k.manifest.chunks()}))

    def _refuse(self, name: str, why: str) -> None:
        log.warning("snapshot '%s' refused: %s; an older one is used if there is one", name, why)
        self._refused(name, why)


def _signed(wanted: Sequence[tuple[str, str]], found: Sequence[bytes | None]) -> list[bool]:
    return [
        data is not None and page.name_of(data) == chunk
        for (_, chunk), data in zip(wanted, found, strict=True)
    ]


def _loads(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """Yield chunks together that are no larger than one may be, so many small ones at once."""
    load, size = list[Chunk](), 0
    for chunk in chunks:
        if load and size + len(chunk.data) > page.CHUNK_BYTES:
            yield load
            load, size = [], 0
        load.append(chunk)
        size += len(chunk.data)
    if load:
        yield load


def _page(draft: Draft, parts: dict[str, list[str]], size: int) -> Manifest:
    return Manifest(
        draft.log,
        draft.offsets,
        draft.epoch or 0,
        round(time.time() if draft.created is None else draft.created, 3),
        parts,
        size,
        headwater=page.versions()["headwater"],
        river=page.versions()["river"],
    )


def _guard(draft: Draft, revision: int) -> Guard:
    if draft.epoch is not None:
        return Guard(epoch=draft.epoch)
    return Guard(revision=revision, reached=draft.offsets, claims=draft.claims)
