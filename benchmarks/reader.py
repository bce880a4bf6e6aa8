"""A reader of lists: GETs at an even pace, each timed, as an application would with redis-py.

python -m benchmarks.reader PER_SECOND SECONDS USERS
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import msgspec

from contracts import keys
from contracts.settings import Settings, read


class Told(Exception):
    """Somebody asks for the answer."""


def gets(settings: Settings, per_second: float, seconds: float, users: int) -> list[float]:
    """Return the seconds that each GET of a random user's list took, until the end or SIGTERM."""
    from redis import Redis

    took: list[float] = []
    with Redis.from_url(settings.redis) as redis, suppress(Told):
        redis.ping()
        signal.signal(signal.SIGTERM, _told)
        start = time.perf_counter()
        for key in _keys(settings.key_prefix, users, int(per_second * seconds)):
            time.sleep(max(0.0, start + len(took) / per_second - time.perf_counter()))
            if (began := time.perf_counter()) > start + seconds:
                break
            redis.get(key)
            took.append(time.perf_counter() - began)
    return took


def _keys(prefix: str, users: int, n: int) -> Iterator[str]:
    random = Random(1)  # noqa: S311 - no secret
    for _ in range(n):
        yield keys.REC.at(prefix, user=f"user-{random.randrange(users)}")


def _told(*_: object) -> None:
    raise Told


if __name__ == "__main__":
    rate_, seconds_, users_ = map(float, sys.argv[1:])
    took_ = gets(read(os.environ), rate_, seconds_, int(users_))
    print(msgspec.json.encode(took_).decode())
