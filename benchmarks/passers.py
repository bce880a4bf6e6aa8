"""Passers-by: a shop without end, in which users and items come, are busy for a while, and go.

Every map of a worker is full after a moment and lets somebody go ever since; nobody is there
twice as long as others, so what is kept for ever by mistake is kept for ever more of them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.streams import EVENTS_PER_S
from headwater.shop import FIRST_TS

USERS, EVENTS_PER_USER = 30_000, 10  # in the shop at one time; a new one comes after so many
ITEMS, EVENTS_PER_ITEM = 8_000, 50
FAVOUR = 3  # how much the newest are preferred

Sent = tuple[bytes, bytes]


def passers(begin: int, events: int) -> Iterator[Sent]:
    """Yield the events from number `begin` on as key and value, ready to be sent.

    >>> next(passers(7, 1))[1][:18]
    b'{"event_id":"p-7",'
    """
    random = np.random.default_rng(begin)
    number = np.arange(begin, begin + events)
    user = number // EVENTS_PER_USER + _among(random, USERS, events)
    item = number // EVENTS_PER_ITEM + _among(random, ITEMS, events)
    ts = FIRST_TS + number / EVENTS_PER_S
    for n, u, i, t in zip(number.tolist(), user.tolist(), item.tolist(), ts.tolist(), strict=True):
        yield (
            b"user-%d" % u,
            b'{"event_id":"p-%d","user":"user-%d","item":"item-%d","action":"view","ts":%.2f}'
            % (n, u, i, t),
        )


def _among(random: np.random.Generator, most: int, events: int) -> NDArray[np.int64]:
    return (most * (1.0 - random.random(events) ** FAVOUR)).astype(np.int64)
