"""Tells readers of which segments people are of whom `users` says so, and no event yet.

What `users` says has no place in the log of events, so nothing is learned from it: it only chooses
among lists that stand in Redis. Every worker reads all of `users` and says the same, so it does not
matter who owns whose partition, and nothing of it has to be saved.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from contracts.segments import segments
from contracts.settings import Settings
from state.people import tell_segments
from streams.worker.waits import Retry

if TYPE_CHECKING:
    from redis.asyncio import Redis

Tell = Callable[[Mapping[str, Sequence[str]]], Awaitable[None]]


class Profiles:
    """Notes people; `tell` publishes segments by user, none for who is of none.

    Args:
        contexts: names of attributes that make segments, the most telling first.
    """

    def __init__(self, contexts: Sequence[str], tell: Tell) -> None:
        self._contexts, self._tell = contexts, tell
        self._noted: dict[str, list[str]] = {}

    def note(self, user: str, attributes: Mapping[str, object]) -> None:
        """Know a user by these attributes, and by nothing that was said before."""
        if self._contexts:
            self._noted[user] = segments(self._contexts, attributes)

    async def publish(self) -> None:
        """Tell of whom something was noted."""
        noted, self._noted = self._noted, {}
        if noted:
            await self._tell(noted)


def teller(settings: Settings, redis: "Redis", retry: Retry) -> Tell:
    """Return what publishes segments of people, however long Redis is away."""

    async def tell(told: Mapping[str, Sequence[str]]) -> None:
        prefix, age = settings.key_prefix, settings.list_age_s
        await retry.until_answered(lambda: tell_segments(redis, prefix, told, age))

    return tell
