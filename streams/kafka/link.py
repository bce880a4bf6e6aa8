"""What the worker may ask of Faust's consumer, wherever that is in its life."""

from collections.abc import Mapping
from typing import Any

from faust.types import TP

from streams.kafka.thread import FetchThread, Where


class ConsumerLink:
    """The way to the consumer, which Faust creates late; the transport sets `consumer`."""

    def __init__(self) -> None:
        self.consumer: Any = None

    @property
    def _thread(self) -> FetchThread:
        thread: FetchThread = self.consumer.thread
        return thread

    @property
    def begun(self) -> bool:
        """Whether there is a consumer and it has reached a broker."""
        return self.consumer is not None and self._thread.begun

    def assignment(self) -> set[TP]:
        """Return what is assigned to us."""
        found: set[TP] = self.consumer.assignment()
        return found

    async def seek_to(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        """Go to these offsets and let the partitions flow; return each one's new lap."""
        return await self._thread.seek_to(offsets)

    async def pause(self, tps: set[TP]) -> None:
        """Let nothing more come of these until the next `seek_to`."""
        await self._thread.pause(tps)

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; return whether the group took it, which it does of members only."""
        return bool(offsets) and await self._thread.commit_quietly(offsets)

    async def positions(self) -> dict[TP, Where]:
        """Return where the client stands in each assigned partition."""
        return await self._thread.positions()

    def dead(self) -> str | None:
        """Return which task of the client has ended although it must not, if any has."""
        return self._thread.dead()
