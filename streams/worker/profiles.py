"""Tells readers of which segments people are of whom `users` says so, and no event yet.

What `users` says has no place in the log of events, so nothing is learned from it: it only chooses
among lists that stand in Redis. Every worker reads all of `users` and says the same, so it does not
matter who owns whose partition, and nothing of it has to be saved.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contracts.events import User
from contracts.segments import segments
from contracts.settings import Settings
from state.people import tell_segments
from streams.decode import DeadMessage, EventDecoder, checked_id
from streams.worker.waits import Retry

if TYPE_CHECKING:
    from redis.asyncio import Redis

Tell = Callable[[Mapping[str, Sequence[str]]], Awaitable[None]]


class Profiles:
    """Takes messages; `tell` publishes segments by user, none for who is of none.

    Args:
        contexts: names of attributes that make segments, the most telling first.
    """

    def __init__(self, settings: Settings, contexts: Sequence[str], tell: Tell) -> None:
        self._contexts, self._tell = contexts, tell
        self._decode = EventDecoder(User, settings.max_message_bytes).decode

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages of `users`; the newest of each user counts, what is none is another's."""
        if not self._contexts:
            return
        told: dict[str, list[str]] = {}
        for record in records:
            if record.value is None:
                told[(record.key or b"").decode("utf-8", "replace")] = []
                continue
            try:
                said: User = self._decode(record.value)
                told[checked_id(said.user, "user")] = segments(self._contexts, said.attributes)
            except DeadMessage:
                continue  # `Logins` buries it
        if told:
            await self._tell(told)


def teller(settings: Settings, redis: "Redis", retry: Retry) -> Tell:
    """Return what publishes segments of people, however long Redis is away."""

    async def tell(told: Mapping[str, Sequence[str]]) -> None:
        prefix, age = settings.key_prefix, settings.list_age_s
        await retry.until_answered(lambda: tell_segments(redis, prefix, told, age))

    return tell
