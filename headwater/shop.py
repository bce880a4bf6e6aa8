"""A simulated shop: no real people, a stream with a structure that a learner can find.

Planted: items stand in groups, each item has companions in its group that are chosen next to it,
people have two favourite groups and choose some items again, a few items and people are busy and
most are not. A `Change` of taste gives every item other companions, every group other bestsellers
and everybody other favourite groups. With `segments` people come from a country, with a device,
and most have their first favourite among the groups that their country likes, the second among
those of their device.
"""

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, count, islice
from math import log
from random import Random
from typing import Any, NamedTuple

# fmt: off
GROUPS = (
    "tea", "coffee", "jam", "bread", "cheese", "pasta", "rice", "soup",
    "honey", "juice", "spice", "fruit", "lamp", "chair", "desk", "shelf",
    "rug", "mirror", "vase", "candle", "pillow", "towel", "plate", "glass",
    "drill", "paint", "rope", "seed", "spade", "pot", "hose", "nail",
)
# fmt: on
FIRST_TS = 1_704_067_200.0  # 2024-01-01
EVENTS_PER_S = 2.0  # of the shop's own clock
SESSION_LENGTH = 6  # on average
OPEN_SESSIONS = 200
COMPANIONS = 3
STRAY, AGAIN, NEXT = 0.05, 0.20, 0.50  # any item; one of this session again; a companion
SECOND_FAVOURITE = 0.3
COUNTRIES, DEVICES = {"de": 4, "fr": 3, "it": 2, "at": 1}, {"phone": 3, "desktop": 2}
LEAN = 0.7  # a favourite group is one of those that the segment likes


class World(NamedTuple):
    """Taste at one time: for each item its companions, for each group its items and how busy."""

    companions: list[tuple[int, ...]]
    shelves: list[list[int]]  # of each group, bestsellers first
    favourites: list[tuple[int, int]]  # of each user
    contexts: Sequence[dict[str, str]] = ()  # of each user, where they have one


class Change(NamedTuple):
    """A change of taste: after `at` events, or by and by over the next `over` events.

    With `back` the old taste is there again so many events after `at`.
    """

    at: int
    over: int = 0
    back: int | None = None

    def share(self, n: int) -> float:
        """Return the share of choices by the new taste at event `n`.

        >>> [Change(at=10, over=4, back=20).share(n) for n in (9, 11, 14, 30)]
        [0.0, 0.25, 1.0, 0.0]
        """
        since = n - self.at
        if since < 0 or (self.back is not None and since >= self.back):
            return 0.0
        return 1.0 if since >= self.over else since / self.over


class Arrivals(NamedTuple):
    """Items that are not there from the beginning: a `share` of all, one `every` so many events."""

    share: float = 0.5
    every: int = 100

    def times(self, seed: int, items: int) -> list[int]:
        """Return before which event each item comes.

        >>> sorted(Arrivals(share=0.5, every=10).times(7, 6))
        [0, 0, 0, 10, 20, 30]
        """
        order = Random(seed).sample(range(items), int(self.share * items))  # noqa: S311 - as above
        found = [0] * items
        for n, item in enumerate(order, 1):
            found[item] = n * self.every
        return found


def shop(
    seed: int,
    users: int = 2000,
    items: int = 640,
    events: int | None = None,
    change: Change | None = None,
    segments: bool = False,
    arrivals: Arrivals | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield simulated interactions, for ever unless `events` is given; a seed gives one stream.

    Before the `change` it is the stream that it is without. Nobody chooses what is yet to arrive.

    >>> next(shop(7))["event_id"]
    'simulated-7-0'
    """
    random = Random(seed)  # noqa: S311 - a simulation, no secret
    before, after = world(random, users, items), world(random, users, items)
    if segments:
        before, after = (_leaning(seed, taste) for taste in (before, after))
    times = arrivals.times(seed, items) if arrivals else [0] * items
    return islice(_events(seed, random, (before, after), change, times), events)


def world(random: Random, users: int, items: int) -> World:
    """Draw companions, bestsellers and favourites anew."""
    groups = min(len(GROUPS), max(2, items // 4))
    shelves: list[list[int]] = [list(range(g, items, groups)) for g in range(groups)]
    companions: list[tuple[int, ...]] = [()] * items
    for shelf in shelves:
        random.shuffle(shelf)
        for place, item in enumerate(shelf):
            ring = shelf[place + 1 :] + shelf[:place]
            companions[item] = tuple(ring[:COMPANIONS]) or (item,)
        random.shuffle(shelf)
    pick = random.randrange
    return World(companions, shelves, [(pick(groups), pick(groups)) for _ in range(users)])


def _leaning(seed: int, taste: World) -> World:
    """Return a world in which people have a context, and favourites lean on it."""
    random = Random(f"segments of {seed}")  # noqa: S311 - a simulation, no secret
    groups = range(len(taste.shelves))
    kinds, contexts, favourites = (COUNTRIES, DEVICES), list[dict[str, str]](), []
    for plain in taste.favourites:
        drawn = [random.choices(range(len(k)), list(k.values()))[0] for k in kinds]
        liked = [groups[value :: len(kind)] for value, kind in zip(drawn, kinds, strict=True)]
        first, second = (
            random.choice(some) if random.random() < LEAN else any_
            for some, any_ in zip(liked, plain, strict=True)
        )
        contexts.append({"country": list(COUNTRIES)[drawn[0]], "device": list(DEVICES)[drawn[1]]})
        favourites.append((first, second))
    return taste._replace(favourites=favourites, contexts=contexts)


def _events(
    seed: int,
    random: Random,
    worlds: tuple[World, World],
    change: Change | None,
    times: list[int],
) -> Iterator[dict[str, Any]]:
    draw, taste, ts = random.random, worlds[0], FIRST_TS
    item_names, sessions = names(taste), _Sessions(draw, len(taste.favourites))
    for n in count():
        if change is not None:
            share = change.share(n)
            taste = worlds[share == 1.0 or (share > 0.0 and draw() < share)]
        slot = int(draw() * len(sessions.open))
        user, chosen = sessions.open[slot]
        item = _choice(draw, taste, user, chosen)
        while times[item] > n:
            item = _choice(draw, taste, user, chosen)
        chosen.append(item)
        ts -= log(1.0 - draw()) / EVENTS_PER_S
        event = {
            "event_id": f"simulated-{seed}-{n}",
            "user": f"user-{user}",
            "item": item_names[item],
            "action": "view",
            "ts": round(ts, 3),
        }
        yield event | ({"context": taste.contexts[user]} if taste.contexts else {})
        if draw() * SESSION_LENGTH < 1.0:
            sessions.renew(slot)


def _choice(draw: Callable[[], float], taste: World, user: int, chosen: list[int]) -> int:
    what = draw()
    if what < STRAY:
        return int(draw() * len(taste.companions))
    if chosen and what < STRAY + AGAIN:
        return chosen[int(draw() * len(chosen))]
    if chosen and what < STRAY + AGAIN + NEXT:
        companions = taste.companions[chosen[-1]]
        return companions[int(draw() * len(companions))]
    shelf = taste.shelves[taste.favourites[user][draw() < SECOND_FAVOURITE]]
    return shelf[int(len(shelf) * draw() ** 3)]


class _Sessions:
    """Who is in the shop now, each with what they chose in this visit; nobody is there twice."""

    def __init__(self, draw: Callable[[], float], users: int) -> None:
        self._draw = draw
        self._busy = list(accumulate(1.0 / (rank + 20) ** 0.7 for rank in range(users)))
        self._inside: set[int] = set()
        self.open = [self._enter() for _ in range(min(OPEN_SESSIONS, (users + 3) // 4))]

    def renew(self, slot: int) -> None:
        """Let the one in this slot go and another come."""
        self._inside.discard(self.open[slot][0])
        self.open[slot] = self._enter()

    def _enter(self) -> tuple[int, list[int]]:
        user = self._busiest()
        while user in self._inside:
            user = self._busiest()
        self._inside.add(user)
        return user, []

    def _busiest(self) -> int:
        return min(bisect(self._busy, self._draw() * self._busy[-1]), len(self._busy) - 1)


def names(taste: World) -> list[str]:
    """Return what items are called: their group and a number."""
    found = [""] * len(taste.companions)
    for group, shelf in enumerate(taste.shelves):
        for place, item in enumerate(sorted(shelf), 1):
            found[item] = f"{GROUPS[group]}-{place:02d}"
    return found
