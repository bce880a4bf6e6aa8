"""The consumer's own thread, as the worker's loop sees it."""

import asyncio
from typing import Any

import pytest

from streams.kafka.thread import Fetched, FetchThread


class Closing(FetchThread):
    """A thread whose client breaks off what waits for records, as it does when it closes."""

    def __init__(self) -> None: ...

    async def here(self, work: Any) -> Any:
        """Be cancelled from the other side."""
        work.close()
        raise asyncio.CancelledError


class Waiting(Closing):
    """A thread in which nothing comes."""

    async def here(self, work: Any) -> Any:
        """Wait for ever."""
        work.close()
        await asyncio.Event().wait()


def test_a_fetch_that_the_client_broke_off_brings_nothing() -> None:
    assert asyncio.run(Closing().fetch(set(), 1.0)) == []


def test_whoever_is_cancelled_while_fetching_ends() -> None:
    async def work() -> list[Fetched]:
        fetching = asyncio.create_task(Waiting().fetch(set(), 1.0))
        await asyncio.sleep(0)
        fetching.cancel()
        return await fetching

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
