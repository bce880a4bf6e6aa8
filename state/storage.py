"""Where snapshots lie: the few operations that Redis and its memory twin both have."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from state.manifest import Chunk, Offsets


class Moved(Enum):
    """What became of an attempt to move a snapshot's pointer."""

    YES = "saved"
    FENCED = "fenced"  # another owner has raised the epoch, or the storage was started anew
    BEHIND = "behind"  # what is there has come further
    CHANGED = "changed"  # someone else moved it since it was read


class Guard(NamedTuple):
    """What must hold for the pointer to move; None is not asked.

    `revision` is the one that was read; `reached` must be at least what is stored, everywhere.
    Nothing may have been lost since these `claims` were made: names that we have claimed.
    """

    epoch: int | None = None
    revision: int | None = None
    reached: Offsets | None = None
    claims: Sequence[str] = ()


class SnapshotStorage(Protocol):
    """Holds chunks and, per name, an epoch and a pointer; everything has an age."""

    async def claim(self, name: str) -> int:
        """Raise the epoch and return it: whoever wrote before is fenced.

        So is the claimer, if the storage may have lost what it had acknowledged since.
        """

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Return the epochs, 0 where there is none, or where a claim of ours is void."""

    async def names(self) -> list[str]:
        """Return all names that have snapshots, good or not, sorted."""

    async def pointer(self, name: str) -> tuple[bytes, int]:
        """Return what the pointer holds (empty if nothing) and its revision."""

    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:
        """Replace what the pointer holds, if the guard holds, in one step."""

    async def put(self, name: str, chunks: Sequence[Chunk], age_s: int) -> None:
        """Store chunks, few enough not to hold other clients up."""

    async def get(self, name: str, chunks: Sequence[str]) -> list[bytes | None]:
        """Return chunks, few at a time; None for one that is gone."""

    async def touch(self, name: str, chunks: Sequence[str], age_s: int) -> list[bool]:
        """Give chunks a new age; tell which are there."""

    async def drop(self, name: str, chunks: Sequence[str]) -> None:
        """Let chunks go."""

    async def forget(self, name: str) -> int:
        """Let a name's pointer go, and how far it had come; return its epoch, raised."""

    async def clear(self) -> None:
        """Let all snapshots go; epochs stay, so that nobody's late write counts."""
