"""Who has looked for a list of a scenario that was not there: Redis itself tells.

Redis names keys that somebody asked for in vain, if `notify-keyspace-events` has `Km` (Redis 6
and later). It matches patterns itself, so only keys of scenarios come here. What was asked for is
kept in Redis, by shard, for whoever makes its lists after a start or a rebalance.
"""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts.keys import ASKED, REC, escape, literally, unescape
from state.connection import refusals_pass

if TYPE_CHECKING:
    from redis.asyncio import Redis

SETTING = "notify-keyspace-events"
FLAGS = "Km"  # events by key, of keys that are not there
LOOK_S = 0.5
REST_S = 0.01  # what comes within this of each other is told together


class Wanted(NamedTuple):
    """Somebody's list of a scenario, and for how many seconds more it is to be made."""

    user: str
    scenario: str
    left_s: float


class NotTold(Exception):
    """This Redis does not let us hear of what is looked for in vain; the text is its."""


class Misses:
    """Listens, and keeps what was asked for until it ages; its errors are those of `away`."""

    def __init__(
        self, client: "Redis", prefix: str, scenarios: Iterable[str], age_s: float
    ) -> None:
        self._redis: Any = client
        self._prefix, self._age_s = prefix, age_s
        self._scenarios = list(scenarios)

    async def told(self) -> bool:
        """Have Redis tell of misses; return False where we may not look, or set that up.

        It may tell all the same.
        """
        import redis

        try:
            await self._set_up()
        except redis.ResponseError:  # no such command or right: a Redis that others run
            return False
        return True

    @refusals_pass
    async def _set_up(self) -> None:
        there = (await self._redis.config_get(SETTING)).get(SETTING, "")
        missing = "".join(flag for flag in FLAGS if flag not in there)
        if missing:
            await self._redis.config_set(SETTING, there + missing)

    async def listen(self) -> AsyncIterator[list[Wanted]]:
        """Yield what is looked for in vain, for ever; nothing, where nothing was lately.

        Raises:
            NotTold: Redis does not let us listen.
        """
        import redis

        database = self._redis.connection_pool.connection_kwargs.get("db", 0)
        channel = f"__keyspace@{database}__:"
        async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
            try:
                await heard.psubscribe(*(channel + self._pattern(s) for s in self._scenarios))
                while True:
                    yield sorted(await self._heard(heard, channel))
            except redis.ResponseError as error:
                raise NotTold(str(error)) from None

    async def _heard(self, heard: Any, channel: str) -> set[Wanted]:
        found, until = set[Wanted](), time.monotonic() + LOOK_S
        message = await heard.get_message(timeout=LOOK_S)
        while message is not None:
            found |= self._missed(message, channel)
            rest = min(REST_S, until - time.monotonic())
            message = await heard.get_message(timeout=rest) if rest > 0.0 else None
        return found

    @refusals_pass
    async def keep(self, shard: str, wanted: Sequence[Wanted]) -> None:
        """Keep what was asked for, for as long as it is made."""
        name, now = ASKED.at(self._prefix, shard=shard), time.time()
        pipe = self._redis.pipeline(transaction=False)
        pipe.zadd(name, {asked_for(w.user, w.scenario): now + w.left_s for w in wanted})
        pipe.zremrangebyscore(name, 0, now)
        pipe.expire(name, int(self._age_s) + 1)
        await pipe.execute()

    @refusals_pass
    async def kept(self, shard: str) -> list[Wanted]:
        """Return what was asked for and has not aged."""
        name, now = ASKED.at(self._prefix, shard=shard), time.time()
        found = await self._redis.zrangebyscore(name, now, "+inf", withscores=True)
        return [_wanted(member.decode(), until - now) for member, until in found]

    def _pattern(self, scenario: str) -> str:
        begin = REC.at(self._prefix, user="")
        return f"{literally(begin)}*:{literally(escape(scenario))}"

    def _missed(self, message: dict[str, Any], channel: str) -> set[Wanted]:
        """Return whose list of which scenario a message is about; nothing for another event."""
        key = message["channel"].decode(errors="replace").removeprefix(channel)
        if message["data"] != b"keymiss":
            return set()
        return {_wanted(key.removeprefix(REC.at(self._prefix, user="")), self._age_s)}


def asked_for(user: str, scenario: str) -> str:
    """Return how `hw:asked:{shard}` names somebody's list of a scenario.

    >>> asked_for("a:b", "kitchen")
    'a%3Ab:kitchen'
    """
    return f"{escape(user)}:{escape(scenario)}"


def _wanted(text: str, left_s: float) -> Wanted:
    user, _, scenario = text.rpartition(":")
    return Wanted(unescape(user), unescape(scenario), left_s)
