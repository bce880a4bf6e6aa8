"""How a worker reaches Redis, and what it means that Redis is away."""

import asyncio
from typing import TYPE_CHECKING, Any

from contracts.errors import SettingsError
from contracts.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

ANSWER_S = 3.0


def connect(settings: Settings) -> "Redis":
    """Return a client of the Redis in the settings; nothing is sent yet.

    It does not retry: who waits says so, see `away`.

    Raises:
        SettingsError: the setting is no Redis URL.
    """
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    try:
        return Redis.from_url(
            settings.redis,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise SettingsError(
            f"HEADWATER_REDIS must be a URL like redis://host:6379/0: {error}"
        ) from None


def away() -> tuple[type[Exception], ...]:
    """Return the errors after which one waits and tries again.

    Besides no answer: Redis loads its data, is full, or has become a replica.
    """
    import redis

    return (
        redis.ConnectionError,
        redis.TimeoutError,
        redis.exceptions.OutOfMemoryError,
        redis.ReadOnlyError,
        OSError,
    )


class Pipe:
    """One connection for packed commands: what `hiredis.pack_command` made, sent as it is.

    Some 5 µs a command instead of 19. Sent in chunks, so that other clients get their turn.
    One `send` at a time; others wait for theirs.
    """

    CHUNK = 200

    def __init__(self, client: "Redis") -> None:
        self._turn = asyncio.Lock()
        self._pool: Any = client.connection_pool
        self._connection: Any = None

    async def send(self, commands: list[bytes]) -> None:
        """Send all of them, in order, and return when Redis has done them.

        Raises:
            RedisError: one of `away`, or Redis refused a command; send all again.
        """
        async with self._turn:
            await self._send(self._connection or await self._connect(), commands)

    async def _send(self, connection: Any, commands: list[bytes]) -> None:
        try:
            for at in range(0, len(commands), self.CHUNK):
                chunk = commands[at : at + self.CHUNK]
                await connection.send_packed_command(b"".join(chunk), check_health=False)
                for _ in chunk:
                    await connection.read_response()
        except BaseException:
            # Answers that were not read would be taken for those of the next command.
            self._connection = None
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)
            raise

    async def _connect(self) -> Any:
        self._connection = await self._pool.get_connection()
        return self._connection

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()
            await self._pool.release(connection)
