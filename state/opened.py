"""Opens the snapshots that the settings lead to, for a worker or for a command."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from contracts.errors import RedisAway
from contracts.settings import Settings, masked
from state.connection import away, connect, ping
from state.redis_storage import RedisStorage
from state.snapshots import Snapshots, Spaced

if TYPE_CHECKING:
    from redis.asyncio import Redis


def snapshots(
    settings: Settings, client: "Redis", refused: Callable[[str, str], None] = lambda *_: None
) -> Snapshots:
    """Return the snapshots in a Redis, signed and kept as the settings say."""
    return Snapshots(
        RedisStorage(client, settings.key_prefix),
        settings.snapshot_key,
        settings.snapshots_kept,
        refused,
        Spaced(settings.versions_kept, settings.versions_every_s),
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Snapshots]:
    """Give the snapshots to a command.

    Raises:
        RedisAway: no Redis answers, now or during the block.
    """
    async with reached(settings) as client:
        await ping(client)
        yield snapshots(settings, client)


@asynccontextmanager
async def reached(settings: Settings) -> "AsyncIterator[Redis]":
    """Give a client to a command; it asks nothing of Redis itself.

    Raises:
        RedisAway: no Redis answers during the block.
    """
    client = connect(settings)
    try:
        yield client
    except away() as error:
        raise RedisAway(
            f"no Redis answers at {masked(settings.redis)} ({error}); "
            "check HEADWATER_REDIS, or run `headwater up`"
        ) from None
    finally:
        await client.aclose()
