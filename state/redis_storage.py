"""Snapshots in Redis: a hash `hw:snap:{shard}` per name, and chunks beside it.

The hash has `epoch`, `pointer` (the signed pages, newest first), `revision`, and one field
`at:{topic}:{partition}` per offset where the writer has no epoch. One script, on that one key,
compares and moves; nothing large ever goes through a script or a transaction (a `MULTI` of
200 MB held other clients for 1.8 s, chunks of 1 MB for 10 ms).

A claim is good for one life of Redis. A Redis that was started anew may have lost its last second:
lists too, that came before what is saved next. So whoever claimed before is fenced, loads again and
publishes anew what came after the snapshot that is there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contracts.keys import SNAP, SNAP_CHUNK, literally, unescape
from state.connection import refusals_pass
from state.manifest import Chunk, Offsets
from state.storage import Guard, Moved

if TYPE_CHECKING:
    from redis.asyncio import Redis

# KEYS: hash. ARGV: pointer, age, epoch or "", revision or "", the life of the claim or "", then
# field and offset by turns.
MOVE = """
local there = redis.call('HGETALL', KEYS[1])
local old, new = {}, {}
for i = 1, #there, 2 do old[there[i]] = there[i + 1] end
for i = 6, #ARGV, 2 do new[ARGV[i]] = ARGV[i + 1] end
if ARGV[3] ~= '' and ARGV[3] ~= (old['epoch'] or '0') then return 'fenced' end
if ARGV[5] ~= '' and not string.find(redis.call('INFO', 'server'), ARGV[5], 1, true) then
  return 'fenced'
end
if #ARGV > 5 then
  for field, offset in pairs(old) do
    if string.sub(field, 1, 3) == 'at:' and tonumber(new[field] or 0) < tonumber(offset) then
      return 'behind'
    end
  end
end
if ARGV[4] ~= '' and ARGV[4] ~= (old['revision'] or '0') then return 'changed' end
redis.call('HSET', KEYS[1], 'pointer', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'revision', 1)
for field, offset in pairs(new) do redis.call('HSET', KEYS[1], field, offset) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 'saved'
"""


class RedisStorage:
    """Holds snapshots in Redis, under a key prefix; its errors are those of `away`, or faults."""

    def __init__(self, client: "Redis", prefix: str) -> None:
        self._redis: Any = client
        self._prefix = prefix
        self._move = client.register_script(MOVE)
        self._lives: dict[str, str] = {}  # by name, that of Redis when it was claimed

    @refusals_pass
    async def claim(self, name: str) -> int:
        """Raise the epoch and return it."""
        key = self._key(name)
        pipe = self._redis.pipeline(transaction=False)
        pipe.hincrby(key, "epoch", 1)
        pipe.expire(key, SNAP.age_s)
        pipe.info("server")
        epoch, _, about = await pipe.execute()
        self._lives[name] = about["run_id"]
        return int(epoch)

    @refusals_pass
    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Return the epochs, 0 where there is none, or where we claimed it in another life."""
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hget(self._key(name), "epoch")
        pipe.info("server")
        *epochs, about = await pipe.execute()
        life = about["run_id"]
        return [
            int(epoch or 0) if self._lives.get(name, life) == life else 0
            for name, epoch in zip(names, epochs, strict=True)
        ]

    @refusals_pass
    async def names(self) -> list[str]:
        """Return all names that have snapshots."""
        begin, found = SNAP.at(self._prefix, shard=""), []
        async for key in self._redis.scan_iter(literally(begin) + "*", count=1000):
            name = key.decode(errors="replace")[len(begin) :]
            if ":" not in name and await self._redis.hexists(key, "pointer"):
                found.append(unescape(name))
        return sorted(found)

    @refusals_pass
    async def pointer(self, name: str) -> tuple[bytes, int]:
        """Return what the pointer holds and its revision."""
        pointer, revision = await self._redis.hmget(self._key(name), "pointer", "revision")
        return pointer or b"", int(revision or 0)

    @refusals_pass
    async def move(self, name: str, value: bytes, guard: Guard) -> Moved:
        """Replace what the pointer holds, if the guard holds."""
        claims = guard.claims if guard.epoch is None else [name]
        lives = {self._lives[claim] for claim in claims if claim in self._lives}
        if len(lives) > 1:  # Redis was started anew between two claims, so one of them is void
            return Moved.FENCED
        life = lives.pop() if lives else ""
        arguments: list[Any] = [value, SNAP.age_s, _text(guard.epoch), _text(guard.revision), life]
        for field, offset in _fields(guard.reached or {}):
            arguments += [field, offset]
        said = await self._move(keys=[self._key(name)], args=arguments)
        return Moved(said.decode())

    @refusals_pass
    async def put(self, name: str, chunks: Sequence[Chunk], age_s: int) -> None:
        """Store chunks."""
        pipe = self._redis.pipeline(transaction=False)
        for chunk in chunks:
            pipe.set(self._chunk(name, chunk.name), chunk.data, ex=age_s)
        await pipe.execute()

    @refusals_pass
    async def get(self, name: str, chunks: Sequence[str]) -> list[bytes | None]:
        """Return chunks, None for one that is gone."""
        pipe = self._redis.pipeline(transaction=False)
        for chunk in chunks:
            pipe.get(self._chunk(name, chunk))
        found: list[bytes | None] = await pipe.execute()
        return found

    @refusals_pass
    async def touch(self, name: str, chunks: Sequence[str], age_s: int) -> list[bool]:
        """Give chunks a new age; tell which are there."""
        if not chunks:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for chunk in chunks:
            pipe.expire(self._chunk(name, chunk), age_s)
        return [bool(there) for there in await pipe.execute()]

    @refusals_pass
    async def drop(self, name: str, chunks: Sequence[str]) -> None:
        """Let chunks go."""
        pipe = self._redis.pipeline(transaction=False)
        for chunk in chunks:
            pipe.unlink(self._chunk(name, chunk))
        await pipe.execute()

    @refusals_pass
    async def forget(self, name: str) -> int:
        """Let a name's pointer go; return its epoch, raised."""
        epoch = await self.claim(name)
        await self._let_go(self._key(name))
        return epoch

    @refusals_pass
    async def clear(self) -> None:
        """Let all snapshots go; epochs stay, raised."""
        pattern = literally(SNAP.at(self._prefix, shard="")) + "*"
        async for key in self._redis.scan_iter(pattern, count=1000):
            if await self._redis.type(key) == b"hash":
                await self._redis.hincrby(key, "epoch", 1)
                await self._let_go(key)
            else:
                await self._redis.unlink(key)

    async def _let_go(self, key: str | bytes) -> None:
        fields = [f for f in await self._redis.hkeys(key) if f != b"epoch"]
        if fields:
            await self._redis.hdel(key, *fields)

    def _key(self, name: str) -> str:
        return SNAP.at(self._prefix, shard=name)

    def _chunk(self, name: str, chunk: str) -> str:
        return SNAP_CHUNK.at(self._prefix, shard=name, chunk=chunk)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _fields(offsets: Offsets) -> list[tuple[str, int]]:
    return [
        (f"at:{topic}:{partition}", offset)
        for topic, partitions in offsets.items()
        for partition, offset in partitions.items()
    ]
