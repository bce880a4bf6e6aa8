"""The pages that a pointer holds: signed, newest first, in one MessagePack list of bytes.

What stands there may be anything: nothing is believed before its signature was checked.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from state import manifest
from state.manifest import Manifest


class Page(NamedTuple):
    """One page as it is stored; `manifest` None, and `why` in words, if it is refused."""

    stored: bytes
    manifest: Manifest | None
    why: str = ""


class Good(NamedTuple):
    """A page whose signature is right."""

    stored: bytes
    manifest: Manifest


def pack(pages: Iterable[bytes]) -> bytes:
    """Return what a pointer holds for these pages."""
    return msgspec.msgpack.encode(list(pages))


def unpack(key: str, name: str, stored: bytes) -> list[Page]:
    """Return the pages that a pointer holds, each read or with the reason why not."""
    return [_page(key, name, one) for one in _split(stored)]


def good(key: str, name: str, stored: bytes) -> list[Good]:
    """Return those of the pages that are signed with this key."""
    return [Good(p.stored, p.manifest) for p in unpack(key, name, stored) if p.manifest is not None]


def unlike(name: str, found: Manifest) -> str:
    """Return in words why a snapshot cannot be read by this version; empty if it can."""
    river = manifest.versions()["river"]
    if found.format != manifest.FORMAT:
        return (
            f"snapshot '{name}' has format {found.format} (headwater {found.headwater}), this "
            f"worker reads {manifest.FORMAT}; run that version, or `headwater worker --rebuild`"
        )
    if found.river != river:
        return (
            f"snapshot '{name}' was written by river {found.river}, this worker runs {river}; "
            f"pin river=={found.river}, or rebuild from the log: `headwater worker --rebuild`"
        )
    return ""


def _page(key: str, name: str, stored: bytes) -> Page:
    found = manifest.read(key, name, stored)
    return Page(stored, None, found) if isinstance(found, str) else Page(stored, found)


def _split(stored: bytes) -> list[bytes]:
    if not stored:
        return []
    try:
        return msgspec.msgpack.decode(stored, type=list[bytes])
    except msgspec.DecodeError:
        return [stored]
