"""A Redis that was started anew may have lost what it had acknowledged: no save builds on that."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from headwater.local import local_redis
from state.manifest import Log
from state.redis_storage import RedisStorage
from state.snapshots import Draft, Snapshots
from state.storage import Moved

LOG = Log("cluster", {"interactions": "id"}, {"interactions": 1})


def shared(offset: int, *claims: str) -> Draft:
    return Draft({"items": b"x"}, {"interactions": {0: offset}}, LOG, None, claims=claims)


@pytest.fixture
def redis(tmp_path: Path) -> Any:
    with local_redis(tmp_path) as service:
        yield service


def test_what_shards_share_is_saved_only_while_their_claims_hold(redis: Any) -> None:
    async def work() -> list[Moved]:
        from redis.asyncio import Redis

        client = Redis.from_url(redis.address)
        storage = RedisStorage(client, "p:")
        store = Snapshots(storage, "secret", 3)
        try:
            await storage.claim("0")
            await storage.claim("1")
            found = [await store.save("shared", shared(5, "0", "1"))]
            redis.kill()
            redis.restart()
            await client.connection_pool.disconnect()
            found.append(await store.save("shared", shared(6, "0", "1")))
            await storage.claim("0")
            found.append(await store.save("shared", shared(7, "0", "1")))
            found.append(await store.save("shared", shared(8, "0")))
            found.append(await store.save("shared", shared(9)))  # who has claimed nothing
        finally:
            await client.aclose()
        return found

    wanted = [Moved.YES, Moved.FENCED, Moved.FENCED, Moved.YES, Moved.YES]
    assert asyncio.run(work()) == wanted
