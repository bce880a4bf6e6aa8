"""The audit keeps its promises in Redis and in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts.settings import Settings
from state.audit import Audit, Entry, MemoryAudit, RedisAudit
from state.connection import connect

ENTRY = Entry(
    "o1", "reset", "interactions", 3, "done", {"interactions": 7}, "head", who="ann", why="é\n"
)


@pytest.fixture(params=["memory", "redis"])
def do(request: pytest.FixtureRequest) -> Callable[[Callable[[Audit], Awaitable[Any]]], Any]:
    def run(work: Callable[[Audit], Awaitable[Any]]) -> Any:
        async def go() -> Any:
            if request.param == "memory":
                return await work(MemoryAudit())
            settings: Settings = request.getfixturevalue("settings")
            client = connect(settings)
            try:
                return await work(RedisAudit(client, settings.key_prefix))
            finally:
                await client.aclose()

        return asyncio.run(go())

    return run


def test_an_entry_is_there_once_however_often_it_is_added(do: Any) -> None:
    async def work(audit: Audit) -> None:
        assert await audit.all() == []
        assert await audit.add(ENTRY)
        other = Entry("o1", "reset", "interactions", 4, "done")
        assert await audit.add(other)
        assert not await audit.add(Entry("o1", "reset", "interactions", 3, "done, late"))
        assert await audit.all() == [ENTRY, other]

    do(work)


def test_it_is_known_up_to_where_dead_letters_were_written(do: Any) -> None:
    async def work(audit: Audit) -> None:
        assert await audit.buried("control") == 0
        await audit.bury("control", 7)
        assert await audit.buried("control") == 7
        assert await audit.buried("items") == 0

    do(work)


def test_what_is_no_entry_is_passed_over_and_everything_has_an_age(settings: Settings) -> None:
    async def go() -> None:
        client = connect(settings)
        audit, key = RedisAudit(client, settings.key_prefix), f"{settings.key_prefix}audit"
        try:
            await client.xadd(key, {"name": "x", "entry": b"\xff{"})
            await audit.add(ENTRY)
            await audit.bury("control", 1)
            assert await audit.all() == [ENTRY]
            assert await client.ttl(key) > 0
            assert await client.ttl(f"{key}:buried:control") > 0
        finally:
            await client.aclose()

    asyncio.run(go())
