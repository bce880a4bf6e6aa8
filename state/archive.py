"""A version in one file: signed pages and chunks, one after the other, as they stand in Redis.

    headwater snapshots 1
    frame, frame, …, a frame with three empty fields

The first line ends with a line feed. A frame is four bytes of length, big-endian, and that many
bytes of MessagePack: a list of the snapshot's name, the chunk's name and the bytes. The page of a
snapshot is a frame with an empty chunk name, 32 bytes of HMAC-SHA256 and then JSON; its chunks
follow. The file is written and read frame by frame; a frame holds a chunk of 1 MB, or one page.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO, NamedTuple

import msgspec

from contracts.errors import InputError
from state import manifest as page
from state.manifest import Chunk, Manifest
from state.snapshots import YOUNG_S, Snapshots

BEGIN = b"headwater snapshots 1\n"
LENGTH_BYTES = 4
LONGEST_FRAME = 64 << 20


class Frame(NamedTuple):
    """What one frame holds; `chunk` is empty for a page, `name` at the file's end."""

    name: str
    chunk: str
    data: bytes

    @property
    def place(self) -> tuple[str, str]:
        """Where the bytes belong."""
        return self.name, self.chunk


class Gone(Exception):
    """A piece was dropped while the version was written: a newer one has taken its place."""


async def write(store: Snapshots, shards: Mapping[str, Manifest], key: str, out: BinaryIO) -> None:
    """Write a version.

    Raises:
        Gone: a piece of it is not there any more, or not as it was signed.
        InputError: the disk is full, or the file cannot be written for another reason.
    """
    _write(out, BEGIN)
    for name, manifest in shards.items():
        _put(out, Frame(name, "", page.sign(key, name, manifest)))
        for chunk in sorted(manifest.chunks()):
            data = (await store.storage.get(name, [chunk]))[0]
            if data is None or page.name_of(data) != chunk:
                raise Gone(f"piece {chunk[:8]} of '{name}'")
            _put(out, Frame(name, chunk, data))
    _put(out, Frame("", "", b""))


def check(file: BinaryIO, key: str) -> dict[str, Manifest]:
    """Return the snapshots that a file holds, when every byte of it is as it was signed.

    Raises:
        InputError: it is not; the text says what, without naming the file.
    """
    found: dict[str, Manifest] = {}
    left: set[tuple[str, str]] = set()
    for frame in frames(file):
        if frame.chunk:
            if frame.place not in left or page.name_of(frame.data) != frame.chunk:
                raise InputError(f"a piece of {frame.name!r} is not what was signed")
            left.remove(frame.place)
        elif left:
            break
        elif frame.name:
            manifest = _manifest(frame, key, found)
            found[frame.name] = manifest
            left = {(frame.name, chunk) for chunk in manifest.chunks()}
    if left:
        raise InputError(f"{len(left)} pieces of {list(found)[-1]!r} are missing")
    return found


async def restore(
    store: Snapshots,
    file: BinaryIO,
    manifests: Mapping[str, Manifest],
    also: Mapping[tuple[str, str], bytes],
) -> None:
    """Put a file that was checked into the storage; all else that stands there goes.

    `manifests` become the pages; `also` are chunks that they name and the file has not.
    Whoever dies on the way does it again: pages change last, one after the other.
    """
    for frame in frames(file):
        if frame.chunk:
            chunk = Chunk(frame.chunk, memoryview(frame.data))
            await store.storage.put(frame.name, [chunk], YOUNG_S)
    for (name, new), data in also.items():
        await store.storage.put(name, [Chunk(new, memoryview(data))], YOUNG_S)
    for name in sorted({*await store.storage.names(), *manifests}):
        await store.replace(name, manifests.get(name))


def pick(file: BinaryIO, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """Return some chunks of a file, by the names of snapshot and chunk."""
    return {frame.place: frame.data for frame in frames(file) if frame.place in places}


def frames(file: BinaryIO) -> Iterator[Frame]:
    """Yield the frames of a file, from its beginning to the one that ends it.

    Raises:
        InputError: it is no such file, or it ends before.
    """
    file.seek(0)
    if file.read(len(BEGIN)) != BEGIN:
        raise InputError("it is no file of `headwater snapshot export`")
    while True:
        frame = _get(file)
        yield frame
        if not frame.name:
            break
    if file.read(1):
        raise InputError("something stands behind its end")


def _manifest(frame: Frame, key: str, found: Mapping[str, Manifest]) -> Manifest:
    manifest = page.read(key, frame.name, frame.data)
    if isinstance(manifest, str):
        raise InputError(f"the page of {frame.name!r} is refused: {manifest}")
    if frame.name in found:
        raise InputError(f"it has {frame.name!r} twice")
    return manifest


def _put(out: BinaryIO, frame: Frame) -> None:
    data = msgspec.msgpack.encode(frame)
    _write(out, len(data).to_bytes(LENGTH_BYTES, "big") + data)


def _write(out: BinaryIO, data: bytes) -> None:
    try:
        out.write(data)
    except OSError as error:  # said here: further up it would be taken for a Redis that is away
        raise InputError(f"the file cannot be written: {error.strerror}; make room") from None


def _get(file: BinaryIO) -> Frame:
    length = int.from_bytes(file.read(LENGTH_BYTES), "big")
    if length > LONGEST_FRAME:
        raise InputError("it is damaged: a frame is longer than any can be")
    data = file.read(length)
    if not length or len(data) < length:
        raise InputError("it is cut off")
    try:
        return msgspec.msgpack.decode(data, type=Frame)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"it is damaged: {error}") from None
