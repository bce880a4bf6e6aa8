"""Reads what stands in Redis as any client would: lists of users, similar items, trending.

A reader degrades and never fails because something is missing: someone who has no list of their
own gets that of a segment, or what is trending, and the answer says so.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import msgspec

from contracts import keys
from contracts.errors import RedisAway
from contracts.settings import Settings, masked
from state.connection import not_a_url

T = TypeVar("T")
SCANNED_AT_ONCE = 500
OWN, SEGMENT, TRENDING, NOTHING = "own", "segment", "trending", "nothing"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item of a list, why it stands there and how it scored; best first.

    `explored` is the chance with which it was drawn for its place, 0 where it was ranked.
    """

    item: str
    score: float
    because: str = ""
    explored: float = 0.0


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A list as it stands in Redis, and where it was found: own, segment, trending or nothing.

    `ts` is the time of the event that caused it, `version` rises with each change.
    """

    source: str
    items: list[Entry] = []
    user: str = ""
    item: str = ""
    version: int = 0
    ts: float = 0.0
    segment: str = ""


class _Segments(msgspec.Struct):
    segments: list[str]


class _Stored(msgspec.Struct):
    items: list[Entry]
    user: str = ""
    version: int = 0
    ts: float = 0.0


_decode = msgspec.json.Decoder(_Stored).decode
_segments = msgspec.json.Decoder(_Segments).decode


class Answers:
    """Reads answers; use it as a context manager or call `close()`.

    Every method raises RedisAway where no Redis answers, and names its address without password.
    """

    def __init__(self, settings: Settings) -> None:
        import redis

        self._prefix = settings.key_prefix
        self._address = masked(settings.redis)
        try:
            self._redis = redis.Redis.from_url(
                settings.redis, socket_timeout=5.0, socket_connect_timeout=5.0
            )
        except ValueError:
            raise not_a_url() from None

    def recommend(self, user: str, scenario: str = "", segments: Sequence[str] = ()) -> Answer:
        """Return the user's own list, else that of a segment, else trending, else nothing.

        `segments` are looked for in this order, `country=de` first; without any, those that
        `users` tells. With a `scenario` lists are of what fits there, and none of segments; to
        look for it is to ask for it.
        """
        if not scenario:
            own = self._get(keys.REC, user=user)
            return _answer(own, OWN, user) if own else self._of_stranger(user, segments)
        own = self._get(keys.REC_OF, user=user, scenario=scenario)
        if own:
            return _answer(own, OWN, user)
        return _answer(self._get(keys.TOP_OF, scenario=scenario), TRENDING, user)

    def _of_stranger(self, user: str, segments: Sequence[str]) -> Answer:
        for segment in segments or self._told_of(user):
            found = self._get(keys.TOP_IN, segment=segment)
            if found and found.items:
                return _answer(found, SEGMENT, user, segment=segment)
        return _answer(self._get(keys.TOP), TRENDING, user)

    def _told_of(self, user: str) -> list[str]:
        key = keys.SEGMENTS_OF.at(self._prefix, user=user)
        found: Any = self._ask(lambda: self._redis.get(key))
        return [] if found is None else _segments(found).segments

    def similar(self, item: str) -> Answer:
        """Return what goes with an item, else what is trending, else an empty answer."""
        found = self._get(keys.SIM, item=item)
        source = OWN if found else TRENDING
        return _answer(found or self._get(keys.TOP), source, item=item)

    def trending(self) -> Answer:
        """Return what is chosen most now."""
        return _answer(self._get(keys.TOP), TRENDING)

    def lists(self, users: list[str]) -> list[Answer]:
        """Return the own lists of these users, in this order; who has none is left out."""
        if not users:
            return []
        wanted = [keys.REC.at(self._prefix, user=user) for user in users]
        return [
            _answer(_decode(found), OWN)
            for found in self._ask(lambda: self._redis.mget(wanted))
            if found is not None
        ]

    def newest(self, n: int, looked_at: int = 2 * SCANNED_AT_ONCE) -> list[Answer]:
        """Return up to `n` lists, newest first, out of some `looked_at` found by scanning."""
        pattern, cursor, found = keys.REC.pattern.replace("{user}", "*"), 0, set[bytes]()
        begin = len(keys.REC.at(self._prefix, user="").encode())
        while len(found) < looked_at:
            cursor, more = self._scan(cursor, self._prefix + pattern)
            found.update(key for key in more if b":" not in key[begin:])  # else of a scenario
            if cursor == 0:
                break
        values = self._ask(lambda: self._redis.mget(list(found))) if found else []
        lists = [_answer(_decode(value), OWN) for value in values if value is not None]
        return sorted(lists, key=lambda answer: -answer.ts)[:n]

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scan(self, cursor: int, pattern: str) -> tuple[int, list[bytes]]:
        found: Any = self._ask(lambda: self._redis.scan(cursor, pattern, SCANNED_AT_ONCE))
        return found[0], found[1]

    def _get(self, key: keys.Key, **ids: str) -> _Stored | None:
        found: Any = self._ask(lambda: self._redis.get(key.at(self._prefix, **ids)))
        return None if found is None else _decode(found)

    def _ask(self, question: Callable[[], T]) -> T:
        import redis

        try:
            return question()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise RedisAway(
                f"no Redis answers at {self._address} ({error}); "
                "set HEADWATER_REDIS or run `headwater up`"
            ) from None
        except redis.RedisError as error:
            raise RedisAway(
                f"the Redis at {self._address} refused ({error}); see HEADWATER_REDIS"
            ) from None


def _answer(
    stored: _Stored | None, source: str, user: str = "", item: str = "", segment: str = ""
) -> Answer:
    if stored is None:
        return Answer(NOTHING, [], user, item)
    whose = user or stored.user
    return Answer(source, stored.items, whose, item, stored.version, stored.ts, segment)
