"""Who has looked for a list of a scenario that was not there: Redis itself tells.

Redis names keys that somebody asked for in vain, if `notify-keyspace-events` has `Km` (Redis 6
and later). It matches patterns itself, so only keys of scenarios come here. What was asked for is
kept in Redis, by shard, for whoever makes its lists after a start or a rebalance.
"""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from contracts.keys import ASKED, REC, escape, literally, unescape
from state.connection import refusals_pass

if TYPE_CHECKING:
    from redis.asyncio import Redis

SETTING = "notify-keyspace-events"
WANTED = "Km"  # events by key, of keys that are not there
LOOK_S = 0.5
REST_S = 0.01  # what comes within this of each other is told together
TOGETHER = 1_000
Miss = tuple[str, str]  # a user and a scenario


class Misses:
    """Listens, and keeps what was asked for until it ages; its errors are those of `away`."""

    def __init__(
        self, client: "Redis", prefix: str, scenarios: Iterable[str], age_s: float
    ) -> None:
        self._redis: Any = client
        self._prefix, self._age_s = prefix, age_s
        self._scenarios = list(scenarios)

    @refusals_pass
    async def told(self) -> bool:
        """Have Redis tell of misses; return False where we may not set that up."""
        import redis

        try:
            there = (await self._redis.config_get(SETTING)).get(SETTING, "")
            missing = "".join(flag for flag in WANTED if flag not in there)
            if missing:
                await self._redis.config_set(SETTING, there + missing)
        except redis.ResponseError:  # no such command or right: a Redis that others run
            return False
        return True

    async def listen(self) -> AsyncIterator[list[Miss]]:
        """Yield what is looked for in vain, for ever; nothing, where nothing was lately."""
        database = self._redis.connection_pool.connection_kwargs.get("db", 0)
        channel = f"__keyspace@{database}__:"
        async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.psubscribe(*(channel + self._pattern(s) for s in self._scenarios))
            while True:
                found, more = set[Miss](), await heard.get_message(timeout=LOOK_S)
                while more is not None and len(found) < TOGETHER:
                    found |= self._miss(more, channel)
                    more = await heard.get_message(timeout=REST_S)
                yield sorted(found)

    @refusals_pass
    async def keep(self, shard: str, misses: Sequence[Miss]) -> None:
        """Keep what was asked for, for as long as it is made."""
        name, now = ASKED.at(self._prefix, shard=shard), time.time()
        pipe = self._redis.pipeline(transaction=False)
        pipe.zadd(name, {f"{escape(u)}:{escape(s)}": now + self._age_s for u, s in misses})
        pipe.zremrangebyscore(name, 0, now)
        pipe.expire(name, ASKED.age_s)
        await pipe.execute()

    @refusals_pass
    async def kept(self, shard: str) -> list[Miss]:
        """Return what was asked for and has not aged."""
        name = ASKED.at(self._prefix, shard=shard)
        found = await self._redis.zrangebyscore(name, time.time(), "+inf")
        return [_pair(member.decode()) for member in found]

    def _pattern(self, scenario: str) -> str:
        begin = REC.at(self._prefix, user="")
        return f"{literally(begin)}*:{literally(escape(scenario))}"

    def _miss(self, message: dict[str, Any], channel: str) -> set[Miss]:
        """Return whose list of which scenario a message is about; nothing for another event."""
        key = message["channel"].decode(errors="replace").removeprefix(channel)
        if message["data"] != b"keymiss":
            return set()
        return {_pair(key.removeprefix(REC.at(self._prefix, user="")))}


def _pair(text: str) -> Miss:
    user, _, scenario = text.rpartition(":")
    return unescape(user), unescape(scenario)
