"""The streams that are measured on, as interactions ready to be sent."""

from collections.abc import Iterator
from itertools import chain, count, islice
from random import Random
from typing import Any

from headwater.shop import FIRST_TS, World, world
from streams.sources import reader as source

Row = dict[str, Any]
COPY_GAP_S = 3600.0
SHOP_ITEMS, SHOP_USERS = 5_000, 20_000
EVENTS_PER_S = 50.0  # of the shop's own clock
COMPANION, BESTSELLER = 0.5, 3


def clicks(path: str, events: int | None) -> Iterator[Row]:
    """Yield a file's interactions, over and over with new users and event ids, and later times.

    Items stay the same, so each copy is another month of the same shop. Without `events` the
    file is read once.
    """
    rows = list(source.read(path))
    span = rows[-1]["ts"] - rows[0]["ts"] + COPY_GAP_S
    copies = chain.from_iterable(rows if n == 0 else _later(rows, n, span) for n in count())
    return islice(copies, len(rows) if events is None else events)


def _later(rows: list[Row], n: int, span: float) -> Iterator[Row]:
    for row in rows:
        moved = {"event_id": f"{row['event_id']}+{n}", "user": f"{row['user']}+{n}"}
        yield row | moved | {"ts": row["ts"] + n * span}


def shop(
    events: int, seed: int = 7, items: int = SHOP_ITEMS, users: int = SHOP_USERS
) -> Iterator[Row]:
    """Yield a simulated shop in which every event is another user's.

    All users come once, in random order, before anybody comes again. Half of the choices are a
    companion of the user's last item, the others come from their favourite group.
    """
    random = Random(seed)  # noqa: S311 - a simulation, no secret
    taste, order = world(random, users, items), list(range(users))
    last = [-1] * users
    for n in range(events):
        if n % users == 0:
            random.shuffle(order)
        user = order[n % users]
        last[user] = item = _choice(random, taste, user, last[user])
        yield visit(f"shop-{seed}", n, user, item)


def visit(name: str, n: int, user: int, item: int) -> dict[str, Any]:
    """Return the event number `n` of a simulated stream."""
    return {
        "event_id": f"{name}-{n}",
        "user": f"user-{user}",
        "item": f"item-{item}",
        "action": "view",
        "ts": FIRST_TS + n / EVENTS_PER_S,
    }


def _choice(random: Random, taste: World, user: int, last: int) -> int:
    if last >= 0 and random.random() < COMPANION:
        return random.choice(taste.companions[last])
    shelf = taste.shelves[taste.favourites[user][0]]
    return shelf[int(len(shelf) * random.random() ** BESTSELLER)]
