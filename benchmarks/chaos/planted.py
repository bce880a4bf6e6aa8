"""Planted bugs: what chaos must find. They exist in chaos's own workers only."""

from collections.abc import Callable, Sequence
from typing import Any

from state import redis_storage
from state.manifest import Offsets
from state.storage import Guard, Moved
from streams import app
from streams.shards import Parts
from streams.worker.owned_shard import OwnedShard
from streams.worker.saver import ShardSaver


class WithoutEpoch(redis_storage.RedisStorage):
    """Nobody is fenced: a worker that was frozen saves over what its successor has saved."""

    async def claim(self, name: str) -> int:  # noqa: ARG002 - as said
        """Claim nothing, and say that it went well."""
        return 1

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Say that nothing has changed hands."""
        return [1] * len(names)

    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:
        """Move the pointer whoever asks."""
        return await super().move(name, value, guard._replace(epoch=None))


class OffsetFirst(ShardSaver):
    """The offset is saved as it is when it is written; the state was copied earlier."""

    async def _save_shard(
        self, owned: OwnedShard, until: dict[str, int], parts: Parts, anchor: Offsets | None
    ) -> None:
        await super()._save_shard(owned, {**until, **owned.next}, parts, anchor)


def _without_epoch(wiring: Any) -> None:
    wiring.RedisStorage = WithoutEpoch


def _offset_first(wiring: Any) -> None:
    wiring.ShardSaver = OffsetFirst


PLANTS: dict[str, Callable[[Any], None]] = {
    "without-epoch": _without_epoch,
    "offset-first": _offset_first,
}


def plant(name: str) -> None:
    """Put a bug into this process, before a worker is wired."""
    PLANTS[name](app)
