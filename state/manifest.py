"""What a snapshot is: parts cut into chunks named by their contents, and one signed page.

The page (`Manifest`) says where in which log the state stands, what wrote it, and which chunks
make up each part. Its HMAC-SHA256 covers the snapshot's name, offsets and versions, and through
the chunks' names (a hash of their bytes) every byte of the state.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import NamedTuple

import msgspec

FORMAT = 1
CHUNK_BYTES = 1 << 20
SIGNATURE_BYTES = 32

Offsets = dict[str, dict[int, int]]  # topic -> partition -> next offset


class Log(msgspec.Struct, frozen=True):
    """Which log offsets belong to: the cluster, each topic's id and partition count, the hash."""

    cluster: str
    topics: dict[str, str] = {}
    partitions: dict[str, int] = {}
    partitioner: str = "murmur2"

    def only(self, topics: Iterable[str]) -> "Log":
        """Return what concerns these topics."""
        names = set(topics)
        return Log(
            self.cluster,
            {name: id_ for name, id_ in self.topics.items() if name in names},
            {name: n for name, n in self.partitions.items() if name in names},
            self.partitioner,
        )


class Manifest(msgspec.Struct, frozen=True):
    """The page of one snapshot; `created` is the instant at which the state was copied."""

    log: Log
    offsets: Offsets
    epoch: int
    created: float
    parts: dict[str, list[str]]
    size: int
    format: int = FORMAT
    headwater: str = ""
    river: str = ""

    @property
    def version(self) -> str:
        """The instant as a name; all that one save has copied have the same."""
        return version_name(self.created)

    def chunks(self) -> set[str]:
        """Return the names of all chunks."""
        return {chunk for chunks in self.parts.values() for chunk in chunks}


class Chunk(NamedTuple):
    """A piece of a part, named by a hash of its bytes."""

    name: str
    data: memoryview


@cache
def versions() -> dict[str, str]:
    """Return the versions that a snapshot carries, without importing anything heavy."""
    return {"headwater": _version("headwater"), "river": _version("river")}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def version_name(instant: float) -> str:
    """Return the name of an instant in UTC, with milliseconds only if there are any.

    >>> version_name(1_795_626_303.0), version_name(1_795_626_303.25)
    ('20261125T170503Z', '20261125T170503.250Z')
    """
    ms = round(instant * 1000)
    text = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y%m%dT%H%M%S")
    return f"{text}.{ms % 1000:03}Z" if ms % 1000 else f"{text}Z"


def name_of(data: bytes | memoryview) -> str:
    """Return a chunk's name.

    >>> name_of(b"tea")[:8]
    'e0da65f6'
    """
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def cut(parts: Mapping[str, bytes]) -> dict[str, list[Chunk]]:
    """Cut parts into chunks; at fixed places, so that rows changed in place change few."""
    found: dict[str, list[Chunk]] = {}
    for part, data in parts.items():
        view = memoryview(data)
        pieces = [view[at : at + CHUNK_BYTES] for at in range(0, len(view), CHUNK_BYTES)]
        found[part] = [Chunk(name_of(piece), piece) for piece in pieces]
    return found


def sign(key: str, name: str, manifest: Manifest) -> bytes:
    """Return the page as it is stored: signature, then JSON."""
    page = msgspec.json.encode(manifest)
    return _signature(key, name, page) + page


def read(key: str, name: str, stored: bytes) -> Manifest | str:
    """Return the page, or in words why it is refused."""
    signature, page = stored[:SIGNATURE_BYTES], stored[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, name, page)):
        return "its signature is missing or wrong (HEADWATER_SNAPSHOT_KEY is not the one it has)"
    try:
        return msgspec.json.decode(page, type=Manifest)
    except msgspec.DecodeError as error:
        return f"its page cannot be read: {error}"


def _signature(key: str, name: str, page: bytes) -> bytes:
    return hmac.digest(key.encode(), name.encode() + b"\0" + page, "sha256")


def covers(high: Offsets, low: Offsets) -> bool:
    """Tell whether `high` has come at least as far as `low` everywhere.

    >>> covers({"a": {0: 5, 1: 2}}, {"a": {0: 5}}), covers({"a": {0: 5}}, {"a": {0: 5, 1: 1}})
    (True, False)
    """
    return all(
        high.get(topic, {}).get(partition, 0) >= offset
        for topic, partitions in low.items()
        for partition, offset in partitions.items()
    )
