"""How a worker reaches Redis, and what it means that Redis is away."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import hiredis

from contracts.errors import SettingsError
from contracts.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

P = ParamSpec("P")
T = TypeVar("T")
ANSWER_S = 3.0
# As Redis begins an answer, names it inside a script, or redis-py quotes it of a pipeline.
PASSING = re.compile(
    r"(^|: |\('|-)(MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|LOADING|OOM|READONLY"
    r"|NOSCRIPT)\b"
)


class RefusedForNow(Exception):
    """Redis refused a command for a reason that passes, such as a full disk; the text is its."""


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
    except ValueError:
        raise not_a_url() from None


def not_a_url() -> SettingsError:
    """Return the error for an unreadable URL; redis-py's own would repeat parts of a password."""
    return SettingsError(
        "HEADWATER_REDIS must be a URL like redis://host:6379/0, with %2F for / in a password"
    )


def away() -> tuple[type[Exception], ...]:
    """Return the errors after which one waits and tries again.

    Besides no answer: Redis loads its data, is full, cannot save, has become a replica, or has
    forgotten a script, which is sent again with what needs it.
    """
    import redis

    return (
        redis.ConnectionError,
        redis.TimeoutError,
        redis.exceptions.OutOfMemoryError,
        redis.ReadOnlyError,
        RefusedForNow,
        OSError,
    )


def refusals_pass(ask: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make what redis-py knows as a fault, yet passes, one of the errors of `away`."""

    @wraps(ask)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        import redis

        try:
            return await ask(*args, **kwargs)
        except redis.ResponseError as error:
            code = getattr(error, "status_code", None)  # redis-py cuts the codes that it knows
            text = f"{code} {error}" if code else str(error)
            if PASSING.search(text):
                raise RefusedForNow(text) from None
            raise

    return asked


@refusals_pass
async def ping(client: "Redis") -> None:
    """Return when Redis answers.

    Raises:
        RedisError: one of `away`, or Redis refused.
    """
    await client.execute_command("PING")  # type: ignore[no-untyped-call]


class GivenUp(ConnectionError):
    """Who sent for several was cancelled; nobody knows what Redis has done."""


class Together:
    """Commands that go out together, and what became of them."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.begun = False
        self.error: Exception | None = None


class Pipe:
    """One connection for packed commands: what `hiredis.pack_command` made, sent as it is.

    Some 5 µs a command instead of 19: redis-py makes a timeout per answer. Sent in chunks, so
    that other clients get their turn. What several `send` ask for while one is under way goes
    out together afterwards, in the order in which they asked.
    """

    CHUNK = 200
    READ_BYTES = 1 << 16

    def __init__(self, client: "Redis") -> None:
        self._turn = asyncio.Lock()
        self._next = Together()
        self._pool: Any = client.connection_pool
        self._connection: Any = None

    async def send(self, commands: list[bytes]) -> None:
        """Send all of them, in order, and return when Redis has done them.

        Raises:
            RedisError: one of `away`, or Redis refused a command; send all again.
        """
        ours = self._next
        ours.commands += commands
        async with self._turn:
            if not ours.begun:
                await asyncio.sleep(0)  # who asks in the same turn of the loop goes along
                self._next = Together()
                await self._send_all(ours)
        if ours.error is not None:
            raise ours.error

    async def _send_all(self, together: "Together") -> None:
        together.begun = True
        try:
            for at in range(0, len(together.commands), self.CHUNK):
                async with asyncio.timeout(ANSWER_S):
                    await self._send(together.commands[at : at + self.CHUNK])
        except BaseException as error:
            together.error = error if isinstance(error, Exception) else GivenUp()
            # Answers that were not read would be taken for those of the next command.
            await self._hang_up()
            if not isinstance(error, Exception):
                raise

    async def _send(self, commands: list[bytes]) -> None:
        if self._connection is None:
            self._connection = await self._pool.get_connection()
            self._answers = hiredis.Reader(replyError=redis_error)
        # redis-py connects (address, password, TLS); from then on its streams are ours alone.
        reader, writer = self._connection._reader, self._connection._writer  # noqa: SLF001 - as said
        writer.write(b"".join(commands))
        await writer.drain()
        left = len(commands)
        while left:
            answer = self._answers.gets()
            if answer is False:  # nothing whole yet; no command of ours is answered with it
                data = await reader.read(self.READ_BYTES)
                if not data:
                    raise ConnectionResetError("Redis closed the connection")
                self._answers.feed(data)
            elif isinstance(answer, Exception):
                raise answer
            else:
                left -= 1

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)

    async def close(self) -> None:
        """Give the connection back."""
        await self._hang_up()


def redis_error(message: str) -> Exception:
    """Return what a refusal means: something to wait for, or a fault.

    >>> type(redis_error("OOM command not allowed")).__name__
    'RefusedForNow'
    """
    if PASSING.search(message):
        return RefusedForNow(message)
    from redis._parsers import BaseParser

    parser: Any = BaseParser
    error: Exception = parser.parse_error(message)
    return error
