"""Speed: one event of ours against River's BiasedMF learning one and ranking 5,000 items."""

import time
from argparse import Namespace
from collections.abc import Callable, Hashable
from typing import Any

from benchmarks import figures, ours, report, streams
from benchmarks.offline_rate import Offline
from benchmarks.peers.rankers.river_mf import RiverMF

EVENTS, ASKED, WORKED = 60_000, 20, 5_000  # to begin with; per round: one by one, in batches
RATIO = 100.0
WORKER, RANKER, RIVER = (
    "the worker's own code",
    "our ranker: learn_one, rank 5,000",
    "River's BiasedMF: learn_one, rank 5,000",
)
Rounds = dict[str, list[float]]


def run(args: Namespace) -> None:
    """Let all learn the same simulated shop, then time them in turns."""
    rows = list(streams.shop(EVENTS + WORKED * (args.rounds + 1)))
    found = _rounds(rows, args.rounds)
    print(f"simulated shop of {streams.SHOP_ITEMS:,} items, all known to all; µs per event")
    print(
        figures.table(
            [
                {"median (lowest … highest)": name, "µs per event": figures.Spread.of(us).text(1)}
                for name, us in found.items()
            ]
        )
    )
    for name in (WORKER, RANKER):
        ratio = figures.ratio(found[RIVER], found[name])
        goal = f", {figures.verdict(ratio.median, RATIO)}" if name == WORKER else ""
        print(f"{name}: {ratio.text()} x River's BiasedMF{goal}")


def _rounds(rows: list[dict[str, Any]], rounds: int) -> Rounds:
    """Return microseconds per event, round by round; the first round is not counted."""
    worker, mine, theirs = Offline(ours.settings("always")), ours.ranker("always"), RiverMF()
    worker.feed(rows[:EVENTS])
    for event in rows[:EVENTS]:
        mine.learn_one(event["user"], event["item"], x={"ts": event["ts"]})
        theirs.learn_one(event["user"], event["item"])
    items, found = set(theirs.items), Rounds()
    for n in range(rounds + 1):
        part = rows[EVENTS + n * WORKED :][:WORKED]
        took = {
            WORKER: worker.feed(part) / WORKED,
            RANKER: _each(part[:ASKED], items, mine.rank, _learn(mine)),
            RIVER: _each(part[:ASKED], items, theirs.rank, theirs.learn_one),
        }
        if n:
            for name, seconds in took.items():
                found.setdefault(name, []).append(seconds * 1e6)
            report.progress(f"round {n}: River {took[RIVER] * 1e3:.0f} ms per event")
    return found


def _learn(ranker: ours.Ranker) -> Callable[[Hashable, Hashable], None]:
    return lambda user, item: ranker.learn_one(user, item)


def _each(
    rows: list[dict[str, Any]],
    items: set[Hashable],
    rank: Callable[[Hashable, set[Hashable]], Any],
    learn: Callable[[Hashable, Hashable], None],
) -> float:
    """Return seconds per event for learning it and ranking all items for its user."""
    start = time.perf_counter()
    for event in rows:
        learn(event["user"], event["item"])
        rank(event["user"], items)
    return (time.perf_counter() - start) / len(rows)
