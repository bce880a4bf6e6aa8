"""What the tests of the learners share: the registry of rankers, and ways to look inside."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from contracts.pipeline import Neighbours as Sessions
from contracts.pipeline import Pipeline
from learners import frozen, seen
from learners.batches import Events, Learned
from learners.blend import Blend
from learners.cooccurrence import CoOccurrence
from learners.fusion import Fusion
from learners.neighbours import Neighbours
from learners.popularity import Popularity
from learners.ranker import KernelRanker
from learners.recent import Recent
from learners.recommender import Recommender
from learners.transitions import Transitions
from learners.users import Users

SESSIONS = 100_003  # so many that no two names of a test point to the same one


RANKERS: dict[str, Callable[[], KernelRanker]] = {
    "popularity": Popularity,
    "recent": Recent,
    "cooccurrence": CoOccurrence,
    "transitions": Transitions,
    "neighbours": lambda: Neighbours(sessions=SESSIONS),
    "blend": Blend,
    "blend-without-repeats": lambda: Blend(repeats="never"),
    "fusion": Fusion,
    "fusion-mixture": lambda: Fusion(head="mixture"),
    "fusion-without-repeats": lambda: Fusion(repeats="never"),
}
SMALL: dict[str, Callable[[int], KernelRanker]] = {
    "popularity": lambda n: Popularity(capacity=n),
    "recent": lambda n: Recent(capacity=n),
    "cooccurrence": lambda n: CoOccurrence(capacity=n, neighbours=4),
    "transitions": lambda n: Transitions(capacity=n, followers=4),
    "neighbours": lambda n: Neighbours(capacity=n, sessions=16, visits=4),
    "blend": lambda n: Blend(capacity=n),
    "fusion": lambda n: Fusion(capacity=n),
    "fusion-mixture": lambda n: Fusion(head="mixture", capacity=n),
    "fusion-without-repeats": lambda n: Fusion(repeats="never", capacity=n),
}
LEARNING = [name for name in RANKERS if name.startswith("fusion")]
ALONE = ["recent", "cooccurrence", "transitions", "neighbours"]  # they list what they have mass for
PIPELINE = Pipeline()

Event = tuple[str, str, float]


def stream(n: int, users: int, items: int, seed: int = 7) -> list[Event]:
    """Return events whose items follow a skewed distribution; times mostly rise."""
    rng = np.random.default_rng(seed)
    chosen = (items * rng.random(n) ** 2).astype(int)
    ts = 1.4e9 + np.cumsum(rng.exponential(30.0, n)) - rng.choice([0, 0, 0, 500.0], n)
    who = rng.integers(users, size=n)
    return [(f"u{u}", f"i{i}", float(t)) for u, i, t in zip(who, chosen, ts, strict=True)]


def teach(ranker: KernelRanker, events: Iterable[Event]) -> None:
    """Let a ranker learn events one by one."""
    for user, item, ts in events:
        ranker.learn_one(user, item, x={"ts": ts})


def as_events(events: list[Event], first_version: int = 1, barred: bool = False) -> Events:
    """Return events as columns, all of them judged fresh as well."""
    users, items, ts = zip(*events, strict=True) if events else ((), (), ())
    return Events.choices(users, items, ts, barred=barred, first_version=first_version)


def learn_all(model: Recommender, users: Users, events: Events) -> list[Learned]:
    """Let a model learn a batch to its end, as a shard does."""
    found = []
    while events.user:
        found.append(model.learn(users, events))
        events = events.after(len(found[-1].user))
    return found


def state(ranker: KernelRanker) -> dict[str, bytes]:
    """Return all that a ranker knows."""
    return state_of(ranker.recommender, ranker.users)


def state_of(model: Recommender, users: Users) -> dict[str, bytes]:
    """Return all that a model and the users of one partition know."""
    of_users = frozen.dump_users(users, model.ids)
    return {
        **{f"users {k}": v for k, v in of_users.items()},
        **frozen.dump_items(model.pipeline, model.world, model.ids),
    }


def seen_by(model: Recommender, users: Users, user: str) -> list[list[tuple[str, bool]]]:
    """Return the pages of what a user has seen, newest first: names, and whether barred."""
    row, found = users.ids.find(user), []
    page = int(users.rows.page[row]) if row >= 0 else -1
    while page >= 0:
        entries = [int(entry) for entry in users.pages.entry[page] if entry != seen.NONE]
        found.append([(model.ids.names[e if e >= 0 else ~e], e < 0) for e in entries])
        page = int(users.pages.older[page])
    return found


def dangling(model: Recommender) -> list[str]:
    """Return every place where an item that was let go is still named."""
    items, trend = model.world.items, model.world.trend
    slots = [model.ids.find(name) for name in model.ids.dump()[0]]
    live = np.zeros(len(items.seen) + 1, np.bool_)
    live[[*slots, -1]] = True  # -1 is nobody
    found = []

    def look(name: str, column: np.ndarray, size: np.ndarray) -> None:
        used = np.arange(column.shape[1]) < size[:, None]
        if not live[column[used]].all():
            found.append(name)

    look("near", items.near, items.near_size)
    look("after", items.after, items.after_size)
    look("top", trend.top, trend.size)
    look("sessions", model.world.sessions.item, model.world.sessions.size)
    known = [items.seen, items.visits, items.near_size, items.after_size, *items.weight.T]
    if any(column[~live[:-1]].any() for column in known):
        found.append("counts")
    for users in model.partitions:
        look("history", users.rows.history, users.rows.chosen)
        look("listed", users.rows.listed, users.rows.length)
        if not live[seen.slots(users.pages.entry)].all():
            found.append("pages")
    return found


def pages_in_use(users: Users) -> int:
    """Return how many pages are on users' chains; each of the others must be free."""
    chained, page = 0, int(users.pages.free[0])
    free = 0
    while page >= 0:
        free, page = free + 1, int(users.pages.older[page])
    assert free == users.pages.free[1]
    for first in users.rows.page.tolist():
        page = first
        while page >= 0:
            chained, page = chained + 1, int(users.pages.older[page])
    assert chained + free == len(users.pages.older)
    return chained


def pipeline_of(**generators: Any) -> Pipeline:
    """Return a softmax over the generators that are named; the others are left out."""
    from contracts.pipeline import Generators

    named = {"recent": None, "co_occurrence": None, "transitions": None, "neighbours": None}
    return Pipeline(generators=Generators(**{**named, **generators}))


def few_sessions() -> Sessions:
    """Return a memory of sessions that fits into a page of a test."""
    return Sessions(sessions=16, visits=4)
