"""The memory twin of the Redis storage: same promises, gone with the process."""

from collections import defaultdict
from collections.abc import Sequence

from state.manifest import Chunk, Offsets, covers
from state.storage import Guard, Moved


class MemoryStorage:
    """Holds snapshots in dictionaries; several workers of one process may share it."""

    def __init__(self) -> None:
        self._epochs: dict[str, int] = defaultdict(int)
        self._pointers: dict[str, tuple[bytes, int]] = {}
        self._reached: dict[str, Offsets] = {}
        self.chunks: dict[tuple[str, str], bytes] = {}

    async def claim(self, name: str) -> int:
        """Raise the epoch and return it."""
        self._epochs[name] += 1
        return self._epochs[name]

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Return the epochs, 0 where there is none."""
        return [self._epochs[name] for name in names]

    async def names(self) -> list[str]:
        """Return all names that have snapshots."""
        return sorted(self._pointers)

    async def pointer(self, name: str) -> tuple[bytes, int]:
        """Return what the pointer holds and its revision."""
        return self._pointers.get(name, (b"", 0))

    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:
        """Replace what the pointer holds, if the guard holds."""
        _, revision = self._pointers.get(name, (b"", 0))
        if guard.epoch is not None and guard.epoch != self._epochs[name]:
            return Moved.FENCED
        if guard.reached is not None and not covers(guard.reached, self._reached.get(name, {})):
            return Moved.BEHIND
        if guard.revision is not None and guard.revision != revision:
            return Moved.CHANGED
        self._pointers[name] = (value, revision + 1)
        if guard.reached is not None:
            self._reached[name] = guard.reached
        return Moved.YES

    async def put(self, name: str, chunks: Sequence[Chunk], age_s: int) -> None:  # noqa: ARG002 - nothing ages here
        """Store chunks."""
        for chunk in chunks:
            self.chunks[name, chunk.name] = bytes(chunk.data)

    async def get(self, name: str, chunks: Sequence[str]) -> list[bytes | None]:
        """Return chunks, None for one that is gone."""
        return [self.chunks.get((name, chunk)) for chunk in chunks]

    async def touch(self, name: str, chunks: Sequence[str], age_s: int) -> list[bool]:  # noqa: ARG002 - as above
        """Tell which chunks are there."""
        return [(name, chunk) in self.chunks for chunk in chunks]

    async def drop(self, name: str, chunks: Sequence[str]) -> None:
        """Let chunks go."""
        for chunk in chunks:
            self.chunks.pop((name, chunk), None)

    async def forget(self, name: str) -> int:
        """Let a name's pointer go; return its epoch, raised."""
        self._pointers.pop(name, None)
        self._reached.pop(name, None)
        return await self.claim(name)

    async def clear(self) -> None:
        """Let all snapshots go; epochs stay."""
        self._pointers.clear()
        self._reached.clear()
        self.chunks.clear()
        for name in self._epochs:
            self._epochs[name] += 1
