"""Variety: what caps, diversity and calibration gain, and what they cost in hits and in time."""

import math
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import cases, figures, options, ours
from benchmarks.cases import Row
from benchmarks.offline_rate import Offline
from contracts.pipeline import Pipeline
from contracts.scenarios import Scenario
from headwater.shop import shop
from headwater.shop_catalogue import catalogue
from streams.sources import reader

EVENTS, JUDGED, FIRST, SEED, TIMED = 30_000, 10_000, 10, 1, 2_000
LOOK = 500  # events after which what is popular, and how alike items are, is looked for again
BLENDED = 0.01  # of the user's mix in that of a list, as the learners have it
KIND = "kind"
CHOSEN: dict[str, dict[str, Any]] = {
    "best first": {},
    **{f"of a kind at most {n}": {"caps": {KIND: n}} for n in (5, 3, 1)},
    **{f"diversity {d} by kind": {"diversity": d, "diverse_by": (KIND,)} for d in (0.1, 0.3, 0.6)},
    **{f"diversity {d} by pairs": {"diversity": d} for d in (0.1, 0.3, 0.6)},
    **{f"calibration {c}": {"calibration": c, "calibrated_by": KIND} for c in (0.1, 0.3, 0.6)},
}
PIPELINE = Pipeline(
    scenarios={name: Scenario(length=FIRST, **rules) for name, rules in CHOSEN.items()}
)


class Stream(NamedTuple):
    """Events, and of which kind items are."""

    name: str
    repeats: str
    rows: list[Row]
    kinds: dict[str, str]


class Sums:
    """What the lists of one scenario come to."""

    def __init__(self) -> None:
        self.hits = self.lists = self.mixed = self.values = 0
        self.alike = self.distance = 0.0

    def line(self, name: str, us: float) -> dict[str, str]:
        """Return the figures per list."""
        return {
            "lists": name,
            f"HR@{FIRST}": f"{self.hits / self.lists:.4f}",
            "kinds": f"{self.values / self.lists:.2f}",
            "cosine": f"{self.alike / self.lists:.4f}",
            "distance": f"{self.distance / max(self.mixed, 1):.3f}",
            "µs": f"{us:.1f}",
        }


def run(args: Namespace) -> None:
    """Judge the lists of all scenarios, before each event is learned; then time them."""
    print("kinds: different ones on a list; cosine: of how often two of its items were chosen")
    print("together; distance: from the mix of the user's last items, 1 is the farthest;")
    print(f"µs: of processor, for a list by itself, its pass included; {TIMED:,} users, median of")
    print(f"{args.rounds} rounds")
    for stream in (_shop(), _films(args.data)):
        worker = Offline(ours.settings(stream.repeats, pipeline=f"{__name__}:PIPELINE"))
        for item, kind in stream.kinds.items():
            worker.unit.describe(item, {KIND: kind})
        before, judged = stream.rows[:-JUDGED], stream.rows[-JUDGED:]
        worker.feed(before)
        sums = [Sums() for _ in CHOSEN]
        for n in range(0, len(judged), LOOK):
            _judge(worker, judged[n : n + LOOK], stream.kinds, sums)
        us = _times(worker, [row["user"] for row in judged], args.rounds)
        known = len(set(stream.kinds.values()))
        print(f"\n{stream.name}: {len(worker.unit.model.ids):,} items of {known} kinds; each of")
        print(f"{len(judged):,} events judged, then learned, after {len(before):,} others")
        lines = zip(sums, CHOSEN, us, strict=True)
        print(figures.table([found.line(name, took) for found, name, took in lines]))


def _shop() -> Stream:
    kinds = {row["item"]: row["attributes"]["category"] for row in catalogue(SEED)}
    rows = list(shop(SEED, events=EVENTS))
    return Stream(f"simulated shop, seed {SEED}, kind: category", "always", rows, kinds)


def _films(data: Path) -> Stream:
    kinds = {film["item"]: film["genres"].partition("|")[0] for film in cases.films(data)}
    rows = list(reader.read(options.file(data, options.RATINGS)))
    return Stream("movietweetings-100k, kind: first genre", "never", rows, kinds)


def _judge(worker: Offline, rows: list[Row], kinds: Mapping[str, str], sums: list[Sums]) -> None:
    worker.unit.scenarios.look()
    near = cache(lambda item: _near(worker, item))
    for row in rows:
        own = _own(worker, row["user"], kinds)
        for found, items in zip(sums, _lists(worker, row["user"]), strict=True):
            of = [kinds.get(item, "") for item in items]
            found.lists += 1
            found.hits += row["item"] in items
            found.values += len(set(of))
            pairs = list(combinations(items, 2))
            found.alike += sum(near(a).get(b, 0.0) for a, b in pairs) / max(len(pairs), 1)
            found.mixed += bool(own)
            found.distance += _distance(own, of)
        worker.feed([row])


def _lists(worker: Offline, user: str) -> Sequence[list[str]]:
    model, users = worker.unit.model, worker.shard.users
    slots, everything = users.ids.find_all([user]), np.ones((1, len(CHOSEN)), np.bool_)
    lists, _ = worker.unit.scenarios.ranker.rank(users, slots, everything, model.latest)
    names = model.ids.names
    return [
        [names[slot] for slot in row[:length].tolist()]
        for row, length in zip(lists.item, lists.length, strict=True)
    ]


def _near(worker: Offline, item: str) -> dict[str, float]:
    """Return what goes with an item, as cosines; a year's half-life hardly shortens a stream."""
    model, known = worker.unit.model, worker.unit.model.world.items
    slot = model.ids.find(item)
    other = known.near[slot, : known.near_size[slot]]
    scale = 2.0 ** ((model.world.trend.origin[-1] - model.latest) / model.rules.pair_half_life)
    often = np.sqrt(np.maximum(known.seen[slot], 1) * np.maximum(known.seen[other], 1))
    cosine = scale * known.near_weight[slot, : len(other)] / often
    names = [model.ids.names[n] for n in other.tolist()]
    return dict(zip(names, np.minimum(cosine, 1.0).tolist(), strict=True))


def _own(worker: Offline, user: str, kinds: Mapping[str, str]) -> Counter[str]:
    users, names = worker.shard.users, worker.unit.model.ids.names
    slot = users.ids.find(user)
    if slot < 0:
        return Counter()
    history = users.rows.history[slot, : users.rows.chosen[slot]].tolist()
    return Counter(kind for item in history if (kind := kinds.get(names[item], "")))


def _distance(own: Counter[str], listed: list[str]) -> float:
    found = 0.0
    for kind, times in own.items():
        part, share = times / own.total(), listed.count(kind) / max(len(listed), 1)
        found += part * math.log(part / ((1 - BLENDED) * share + BLENDED * part))
    return found / -math.log(BLENDED)


def _times(worker: Offline, users: list[str], rounds: int) -> list[float]:
    """Return microseconds per list of each scenario, all of them in turns."""
    some = list(dict.fromkeys(reversed(users)))[:TIMED]
    slots, of = worker.shard.users.ids.find_all(some), worker.shard.users
    found: list[list[float]] = [[] for _ in CHOSEN]
    for n in range(rounds + 1):  # the first one is not counted
        for scenario, times in enumerate(found):
            wanted = np.zeros((len(slots), len(CHOSEN)), np.bool_)
            wanted[:, scenario] = True
            begun = time.thread_time()
            worker.unit.scenarios.ranker.rank(of, slots, wanted, worker.unit.model.latest)
            times += [(time.thread_time() - begun) / len(slots) * 1e6] if n else []
    return [figures.Spread.of(times).median for times in found]
