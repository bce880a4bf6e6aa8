"""Scenarios: what five more lists of the same user take, beside the user's own one."""

import time
from argparse import Namespace
from collections.abc import Callable

import numpy as np

from benchmarks import figures, ours, streams
from benchmarks.offline_rate import Offline
from contracts.pipeline import Pipeline
from contracts.scenarios import Condition, Scenario
from learners.arrays import I32
from state.misses import Wanted

EVENTS, USERS, SHELVES = 60_000, 2_000, 5
RATIO = 1.5
AGE_S = 3_600.0
ONE, FIVE = "one list", "five scenarios"
PIPELINE = Pipeline(
    scenarios={
        f"shelf {n}": Scenario(where={"shelf": Condition(any_of=(str(n),))}) for n in range(SHELVES)
    }
)


def run(args: Namespace) -> None:
    """Time both for the same users, in turns."""
    rows = list(streams.shop(EVENTS))
    worker = Offline(ours.settings("always", pipeline=f"{__name__}:PIPELINE"))
    for n in range(streams.SHOP_ITEMS):
        worker.unit.describe(f"item-{n}", {"shelf": n % SHELVES})
    worker.feed(rows)
    worker.unit.scenarios.look()
    users = list(dict.fromkeys(row["user"] for row in reversed(rows)))[:USERS]
    print(f"simulated shop of {streams.SHOP_ITEMS:,} items, a fifth of them in each scenario;")
    print(f"µs per user, {USERS:,} users, median (lowest … highest)")
    ranked = _rounds(_ranking(worker, users), args.rounds)
    _print("ranked", ranked)
    _print("ranked, rendered and made commands", _rounds(_making(worker, users), args.rounds))
    ratio = figures.ratio(ranked[FIVE], ranked[ONE])
    print(f"ranking: {ratio.text(2)}, {figures.verdict(ratio.median, RATIO, at_most=True)}")


def _slots(worker: Offline, users: list[str]) -> I32:
    return worker.shard.users.ids.find_all(users)


def _ranking(worker: Offline, users: list[str]) -> dict[str, Callable[[], object]]:
    model, slots = worker.unit.model, _slots(worker, users)
    ranker, of = worker.unit.scenarios.ranker, worker.shard.users
    wanted = np.ones((len(slots), SHELVES), np.bool_)
    return {
        ONE: lambda: model.refresh(of, slots, model.latest),
        FIVE: lambda: ranker.rank(of, slots, wanted, model.latest),
    }


def _making(worker: Offline, users: list[str]) -> dict[str, Callable[[], object]]:
    shard, slots, publishing = worker.shard, _slots(worker, users), worker.unit.publishing
    model, version = worker.unit.model, shard.learned
    asked = worker.unit.scenarios.asked(shard.users)
    asked.note(Wanted(user, name, AGE_S) for user in users for name in PIPELINE.scenarios)

    def one() -> object:
        lists = model.refresh(shard.users, slots, model.latest)
        return publishing.anew(model, lists, users, version, model.latest)

    def five() -> object:
        return worker.unit.scenarios.lists(shard.users, slots, asked, version)

    return {ONE: one, FIVE: five}


def _rounds(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return microseconds per user, round by round; the first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for n in range(rounds + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            if n:
                found[name].append((time.perf_counter() - begun) / USERS * 1e6)
    return found


def _print(what: str, found: dict[str, list[float]]) -> None:
    shown = "; ".join(f"{name} {figures.Spread.of(us).text(1)}" for name, us in found.items())
    ratio = figures.ratio(found[FIVE], found[ONE])
    print(f"{what}: {shown}; {ratio.text(2)} x")
