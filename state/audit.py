"""The audit: a stream in Redis of what was done to the models, and its memory twin.

An entry stands there once, however often its order is carried out again in a replay: one small
script looks whether it is among the last entries before it adds it.
"""

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from contracts.keys import AUDIT, AUDIT_BURIED
from state.connection import refusals_pass

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT = 10_000  # entries; orders times partitions
LOOKED_AT = 5_000

# KEYS: stream. ARGV: name of the entry, entry, age, entries kept, entries looked at.
ADD = """
for _, found in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[5])) do
  if found[2][2] == ARGV[1] then return 0 end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'name', ARGV[1], 'entry', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one order in one partition.

    `at` is where it holds: the first offset after it, by topic. `asked` and `done` are times in
    seconds: when the order was given, and when this worker carried it out. `counts` says how much
    of what was removed of a `person`, who stands there under an alias.
    """

    id: str
    action: str
    topic: str
    partition: int
    outcome: str
    at: dict[str, int] = {}
    learner: str = ""
    version: str = ""
    since: str = ""
    who: str = ""
    why: str = ""
    asked: float = 0.0
    done: float = 0.0
    person: str = ""
    counts: dict[str, int] = {}

    @property
    def name(self) -> str:
        """What makes it one and the same entry."""
        return f"{self.id}:{self.topic}:{self.partition}"


class Audit(Protocol):
    """Where entries go."""

    async def add(self, entry: Entry) -> bool:
        """Add an entry; return whether it was not there before."""

    async def all(self) -> list[Entry]:
        """Return all entries, oldest first."""

    async def buried(self, topic: str) -> int:
        """Return up to where a topic that all workers read has its dead letters, 0 if unknown."""

    async def bury(self, topic: str, until: int) -> None:
        """Remember that."""


class MemoryAudit:
    """The memory twin."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._buried: dict[str, int] = {}

    async def add(self, entry: Entry) -> bool:
        """Add an entry; return whether it was not there before."""
        return self._entries.setdefault(entry.name, entry) is entry

    async def all(self) -> list[Entry]:
        """Return all entries, oldest first."""
        return list(self._entries.values())

    async def buried(self, topic: str) -> int:
        """Return up to where a topic has its dead letters."""
        return self._buried.get(topic, 0)

    async def bury(self, topic: str, until: int) -> None:
        """Remember that."""
        self._buried[topic] = until


class RedisAudit:
    """The stream `hw:audit`; its errors are those of `state.connection.away`, or faults."""

    def __init__(self, client: "Redis", prefix: str) -> None:
        self._redis: Any = client
        self._key, self._prefix = AUDIT.at(prefix), prefix
        self._add = client.register_script(ADD)

    @refusals_pass
    async def add(self, entry: Entry) -> bool:
        """Add an entry; return whether it was not there before."""
        body = msgspec.json.encode(entry)
        arguments: list[Any] = [entry.name, body, AUDIT.age_s, KEPT, LOOKED_AT]
        return bool(await self._add(keys=[self._key], args=arguments))

    @refusals_pass
    async def all(self) -> list[Entry]:
        """Return all entries, oldest first; what is not ours is passed over."""
        found = [fields.get(b"entry", b"") for _, fields in await self._redis.xrange(self._key)]
        return [entry for entry in map(_read, found) if entry is not None]

    @refusals_pass
    async def buried(self, topic: str) -> int:
        """Return up to where a topic has its dead letters, 0 if that is not known."""
        return int(await self._redis.get(AUDIT_BURIED.at(self._prefix, topic=topic)) or 0)

    @refusals_pass
    async def bury(self, topic: str, until: int) -> None:
        """Remember that."""
        key = AUDIT_BURIED.at(self._prefix, topic=topic)
        await self._redis.set(key, until, ex=AUDIT_BURIED.age_s)


def _read(body: bytes) -> Entry | None:
    try:
        return msgspec.json.decode(body, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
