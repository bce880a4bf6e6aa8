"""Caps: what it costs in hits that a list may hold only so many items of one category."""

from argparse import Namespace
from collections.abc import Sequence

import numpy as np

from benchmarks import figures, ours
from benchmarks.offline_rate import Offline
from contracts.pipeline import Pipeline
from contracts.scenarios import Scenario
from headwater.shop import shop
from headwater.shop_catalogue import catalogue

EVENTS, JUDGED, FIRST, SEED = 30_000, 10_000, 10, 1
LOOK = 500  # events after which what is popular is looked for again
CAPS = (0, 5, 3, 2, 1)  # items of one category; 0 is no cap
PIPELINE = Pipeline(
    scenarios={f"{n}": Scenario(caps={"category": n} if n else {}, length=FIRST) for n in CAPS}
)


def run(args: Namespace) -> None:  # noqa: ARG001 - every section's signature
    """Judge the lists of all scenarios, before each event is learned."""
    rows = list(shop(SEED, events=EVENTS))
    worker = Offline(ours.settings("always", pipeline=f"{__name__}:PIPELINE"))
    for row in catalogue(SEED):
        worker.unit.describe(row["item"], row["attributes"])
    worker.feed(rows[:-JUDGED])
    hits, categories = np.zeros(len(CAPS)), np.zeros(len(CAPS))
    for n, row in enumerate(rows[-JUDGED:]):
        if n % LOOK == 0:
            worker.unit.scenarios.look()
        for k, items in enumerate(_lists(worker, row["user"])):
            hits[k] += row["item"] in items
            categories[k] += len({item.rpartition("-")[0] for item in items})
        worker.feed([row])
    print(f"simulated shop, seed {SEED}, {len(worker.unit.model.ids)} items of 32 categories;")
    print(f"each of {JUDGED:,} events judged, then learned, after {EVENTS - JUDGED:,} others")
    print(figures.table([_line(n, h, c) for n, h, c in zip(CAPS, hits, categories, strict=True)]))


def _lists(worker: Offline, user: str) -> Sequence[list[str]]:
    model, users = worker.unit.model, worker.shard.users
    slots, everything = users.ids.find_all([user]), np.ones((1, len(CAPS)), np.bool_)
    lists, _ = worker.unit.scenarios.ranker.rank(users, slots, everything, model.latest)
    names = model.ids.names
    return [
        [names[slot] for slot in row[:length].tolist()]
        for row, length in zip(lists.item, lists.length, strict=True)
    ]


def _line(cap: int, hits: float, categories: float) -> dict[str, str]:
    return {
        "of one category at most": str(cap) if cap else "any number",
        f"HR@{FIRST}": f"{hits / JUDGED:.4f}",
        "categories on a list": f"{categories / JUDGED:.2f}",
    }
