"""What the tests of the learners share: the registry of rankers, and ways to look inside."""

from collections.abc import Callable, Iterable

import numpy as np

from learners import frozen
from learners.blend import Blend
from learners.cooccurrence import CoOccurrence
from learners.popularity import Popularity
from learners.rank import Rules
from learners.ranker import KernelRanker
from learners.recommender import Events, Learned, Recommender, Users

RANKERS: dict[str, Callable[[], KernelRanker]] = {
    "popularity": Popularity,
    "cooccurrence": CoOccurrence,
    "blend": Blend,
    "blend-without-repeats": lambda: Blend(repeats=False),
}
SMALL: dict[str, Callable[[int], KernelRanker]] = {
    "popularity": lambda n: Popularity(capacity=n),
    "cooccurrence": lambda n: CoOccurrence(capacity=n, neighbours=4),
    "blend": lambda n: Blend(items_capacity=n, neighbours=4),
}
RULES = Rules(half_life=3600.0, pair_half_life=7200.0, repeats=True, pairs=True, fill=True)

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


def as_events(events: list[Event], first_version: int = 1) -> Events:
    """Return events as columns, all of them judged fresh as well."""
    users, items, ts = zip(*events, strict=True) if events else ((), (), ())
    versions = np.arange(first_version, first_version + len(events))
    return Events(list(users), list(items), np.array(ts), np.ones(len(events), np.bool_), versions)


def learn_all(model: Recommender, users: Users, events: Events) -> list[Learned]:
    """Let a model learn a batch to its end, as a shard does."""
    found = []
    while events.user:
        found.append(model.learn(users, events))
        events = events.after(len(found[-1].user))
    return found


def state(ranker: KernelRanker) -> dict[str, bytes]:
    """Return all that a ranker knows."""
    users = frozen.dump_users(ranker.users, ranker.recommender.ids)
    items = frozen.dump_items(ranker.recommender)
    return {**{f"users {k}": v for k, v in users.items()}, **items}


def dangling(model: Recommender) -> list[str]:
    """Return every place where an item that was let go is still named."""
    slots = [model.ids.find(name) for name in model.ids.dump()[0]]
    live = np.zeros(len(model.rows.seen) + 1, np.bool_)
    live[[*slots, -1]] = True  # -1 is nobody
    found = []

    def look(name: str, column: np.ndarray, size: np.ndarray) -> None:
        used = np.arange(column.shape[1]) < size[:, None]
        if not live[column[used]].all():
            found.append(name)

    rows = model.rows
    look("near", rows.near, rows.near_size)
    look("top", model.trend.top[None, :], model.trend.size)
    if rows.seen[~live[:-1]].any() or rows.weight[~live[:-1]].any():
        found.append("counts")
    for users in model.partitions:
        look("history", users.rows.history, users.rows.chosen)
        look("listed", users.rows.listed, users.rows.length)
    return found
