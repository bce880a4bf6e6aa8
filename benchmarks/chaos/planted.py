"""Planted bugs: what chaos must find. They exist in chaos's own workers only."""

from collections.abc import Callable, Sequence
from typing import Any

from state import opened, redis_storage
from state.storage import Guard, Moved
from streams.interactions import moving
from streams.interactions.guests import Found
from streams.shards import Later, Parts, Shard
from streams.worker import saver, visibility


class WithoutEpoch(redis_storage.RedisStorage):
    """Nobody is fenced: a worker that was frozen saves over what its successor has saved."""

    async def claim(self, name: str) -> int:  # noqa: ARG002 - as said
        """Claim nothing, and say that it went well."""
        return 1

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Say that nothing has changed hands."""
        return [1] * len(names)

    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:  # noqa: ARG002 - as said
        """Move the pointer whoever asks."""
        return await super().move(name, value, Guard())


class OneBehind:
    """The offsets of now are saved with the state of the save before."""

    def __init__(self) -> None:
        self._copy = saver.still
        self._before: dict[str, Parts] = {}

    def __call__(self, shard: Shard) -> Later:
        """Take a copy for the next time; return the one before."""
        now = self._copy(shard)()
        before, self._before[shard.name] = self._before.get(shard.name, now), now
        return lambda: before


def _without_epoch() -> None:
    wiring: Any = opened
    wiring.RedisStorage = WithoutEpoch


def _offset_first() -> None:
    saving: Any = saver
    saving.still = OneBehind()


def _handed_twice() -> None:
    """Nobody remembers what was handed over, so a replay's second handover counts again."""
    take = moving.Moving.take

    def forgetful(self: moving.Moving, found: Found, shared_too: bool) -> moving.Moved:
        self._handed.clear()
        return take(self, found, shared_too)

    wiring: Any = moving.Moving
    wiring.take = forgetful


def _never_hidden() -> None:
    """What is hidden while a worker runs stays where it is listed."""
    wiring: Any = visibility.Visibility
    wiring.apply = lambda *_: None


PLANTS: dict[str, Callable[[], None]] = {
    "without-epoch": _without_epoch,
    "offset-first": _offset_first,
    "handed-twice": _handed_twice,
    "never-hidden": _never_hidden,
}


def plant(name: str) -> None:
    """Put a bug into this process, before a worker is wired."""
    PLANTS[name]()
