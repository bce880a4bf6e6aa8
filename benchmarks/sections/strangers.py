"""Strangers: what people get at their first event, by what is chosen where they come from."""

import itertools
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import figures, options, ours, report
from benchmarks.cases import CASES, Row
from benchmarks.offline_rate import Offline
from contracts.pipeline import Pipeline, Segments
from headwater.shop import shop
from learners.arrays import I64
from learners.quality import LISTS, WHO, WORTH
from streams.sources import reader as source

EVENTS, USERS, SEEDS = 60_000, 10_000, (1, 2, 3, 4, 5)
RATIO, STREAM = 1.1, "rsc15-100k"
CONTEXT = ("country", "device")
PIPELINE = Pipeline(segments=Segments(context=CONTEXT))
WITHOUT, WITH, EACH = "without", "two contexts named", "and both said by each event"


def run(args: Namespace) -> None:
    """Judge first events of the simulated shop, then a published stream that has no context."""
    print(f"simulated shop of {USERS:,} people with country and device, {EVENTS:,} events a seed;")
    print("HR@10 of strangers: at people's first events, each judged before it is learned")
    rows, ratios = [], []
    for seed in SEEDS:
        with_, without = (_judged(seed, pipeline) for pipeline in (_here(), ""))
        rows.append(_line(seed, with_, without))
        ratios.append(_hits("stored", with_) / _hits("stored", without))
        report.progress(f"seed {seed}: {ratios[-1]:.2f}")
    print(figures.table(rows))
    found = figures.Spread.of(ratios)
    print(f"list of the country by trending alone: {found.text(2)} x, ", end="")
    print(figures.verdict(found.median, RATIO))
    _no_loss(args)


def _here() -> str:
    return f"{__name__}:PIPELINE"


def _judged(seed: int, pipeline: str) -> I64:
    """Return counts of positions, (lists, who, positions)."""
    worker = Offline(ours.settings("always", pipeline=pipeline))
    worker.feed(shop(seed, users=USERS, events=EVENTS, segments=True))
    return worker.shard.quality.total


def _hits(list_: str, counts: I64, strangers: bool = True) -> float:
    """Return HR@10 of a list, of strangers or of everybody else."""
    of = counts[LISTS.index(list_)]
    known = of[WHO.index("known")]
    row = of[WHO.index("all")] - known if strangers else known
    return float(WORTH[0] @ row / max(row.sum(), 1))


def _line(seed: int, with_: I64, without: I64) -> dict[str, str]:
    strangers = int((with_[0, 0] - with_[0, 1]).sum())
    return {
        "seed": str(seed),
        "first events": f"{strangers:,}",
        "popular of a day": f"{_hits('popular', without):.4f}",
        "trending": f"{_hits('stored', without):.4f}",
        "of the country": f"{_hits('stored', with_):.4f}",
        "country and device": f"{_hits('fresh', with_):.4f}",
        "known people, without": f"{_hits('fresh', without, strangers=False):.4f}",
        "with": f"{_hits('fresh', with_, strangers=False):.4f}",
    }


def _no_loss(args: Namespace) -> None:
    """Print figures and time of a stream without context, with and without names of some."""
    plain = list(source.read(options.file(args.data, CASES[STREAM].file)))
    said = [row | {"context": {"country": "de", "device": "phone"}} for row in plain]
    variants = {WITHOUT: (plain, ""), WITH: (plain, _here()), EACH: (said, _here())}
    counts: dict[str, I64] = {}
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for n, name in itertools.product(range(args.rounds + 1), variants):
        us, counts[name] = _timed(*variants[name])
        if n:
            spent[name].append(us)
    same = bool(np.array_equal(counts[WITH], counts[WITHOUT]))
    print(f"{STREAM}, {len(plain):,} events, none of which has a context:")
    print(f"every position judged the same: {'yes' if same else 'no'}; HR@10 fresh", end=" ")
    print(
        f"{_all(counts[WITHOUT]):.4f}, with {' and '.join(CONTEXT)} named {_all(counts[WITH]):.4f}"
    )
    shown = "; ".join(f"{name} {figures.Spread.of(us).text(1)}" for name, us in spent.items())
    print(f"µs per event, median (lowest … highest): {shown}")


def _timed(rows: Sequence[Row], pipeline: str) -> tuple[float, Any]:
    worker = Offline(ours.settings("always", pipeline=pipeline))
    return worker.feed(rows) / len(rows) * 1e6, worker.shard.quality.total


def _all(counts: I64) -> float:
    row = counts[LISTS.index("fresh"), 0]
    return float(WORTH[0] @ row / max(row.sum(), 1))
