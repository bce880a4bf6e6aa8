"""Floors: what it costs in hits that items which few choose keep places on lists."""

from argparse import Namespace
from collections import Counter
from typing import Any

import numpy as np

from benchmarks import figures, ours
from benchmarks.offline_rate import Offline
from headwater.shop import shop
from learners.arrays import F64, TRENDING
from learners.floors import Floors, floors

EVENTS, JUDGED, FIRST, SEED = 30_000, 10_000, 10, 1
PARTS = (0.0, 0.1, 0.2, 0.3, 0.5)  # of the places; 0 is no floor


def run(args: Namespace) -> None:  # noqa: ARG001 - every section's signature
    """Judge the first ten of each user's list with every floor, before each event is learned."""
    rows = list(shop(SEED, events=EVENTS))
    worker = Offline(ours.settings("always"))
    worker.feed(rows[:-JUDGED])
    chosen = Counter(row["item"] for row in rows[:-JUDGED])
    small = {item for item, _ in chosen.most_common()[-len(chosen) // 4 :]}
    asked = [_floor(worker, small, part) for part in PARTS]
    tally = np.zeros((len(PARTS), 4))  # hits, hits of small ones, their places, lists that keep it
    for row in rows[-JUDGED:]:
        for k, part in enumerate(PARTS):
            items = _first(worker, row["user"], asked[k])
            there = sum(item in small for item in items)
            hit = row["item"] in items
            tally[k] += hit, hit and row["item"] in small, there, there >= int(part * FIRST + 1e-9)
        worker.unit.model.keep(asked[0])
        worker.feed([row])
    of_small = sum(row["item"] in small for row in rows[-JUDGED:])
    print(
        f"simulated shop, seed {SEED}; small: the least chosen {len(small)} of {len(chosen)} items"
    )
    print(f"in the first {EVENTS - JUDGED:,} events, {of_small / JUDGED:.1%} of the choices after;")
    print(f"each of the other {JUDGED:,} events judged, then learned")
    lines = zip(PARTS, tally, strict=True)
    print(figures.table([_line(part, counts, of_small) for part, counts in lines]))


def _floor(worker: Offline, small: set[str], part: float) -> Floors:
    names, items = worker.unit.model.ids.names, worker.unit.model.world.items
    kind = np.array([name in small for name in names], np.int32)
    popular = np.argsort(-items.seen[: len(kind)] * kind, kind="stable")[:TRENDING]
    share = np.array([part] if part else [])
    member, reserve = np.array([[False, True]]), popular.astype(np.int32)[None]
    return floors(share, member[: len(share)], kind, reserve[: len(share)])


def _first(worker: Offline, user: str, asked: Floors) -> list[str]:
    model, users = worker.unit.model, worker.shard.users
    model.keep(asked)
    (slot,) = users.ids.find_all([user]).tolist()
    lists = model.peek(users, slot, model.latest)
    return [model.ids.names[item] for item in lists.item[0, : min(lists.length[0], FIRST)].tolist()]


def _line(part: float, counts: F64, of_small: int) -> dict[str, Any]:
    hits, small, places, kept = counts.tolist()
    return {
        "floor": f"{part:.0%}" if part else "none",
        f"HR@{FIRST}": f"{hits / JUDGED:.4f}",
        "of small": f"{small / of_small:.4f}",
        "places of small": f"{places / JUDGED / FIRST:.1%}",
        "lists that keep it": f"{kept / JUDGED:.1%}",
    }
