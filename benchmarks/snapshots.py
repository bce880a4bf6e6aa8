"""What a large state costs: throughput, the event loop, readers, start, end, and orders.

make bench-snapshots          python -m benchmarks.snapshots [--users N] [--partitions 4 64]
"""

import asyncio
import sys
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from benchmarks import figures, options, report, rig
from benchmarks.crowds import Crowd
from benchmarks.obeying import Obeyed, obey
from benchmarks.saving import OFF, ON, Found, HandedOver, hand_over, stretch
from benchmarks.watched import Told
from benchmarks.working import working
from contracts.settings import Settings
from state import versions
from state.opened import opened

MODES = {"on": ON, "off": OFF}
PASSES = 2
WITHIN_S = 600.0
COST, HELD_MS, GET_MS = 5.0, 50.0, 20.0
REVOKE_S, STOP_S, START_S = 2.0, 5.0, 15.0
MB = 1e6

Rounds = dict[str, list[Found]]


def main(args: Namespace) -> bool:
    """Measure with each partition count; tell whether every target was met."""
    print(f"snapshots: {figures.machine()}")
    with rig.rig() as bench:
        met = [_measure(bench, partitions, args) for partitions in args.partitions]
        return all(met)


def _measure(bench: rig.Rig, partitions: int, args: Namespace) -> bool:
    crowd = Crowd(args.users, args.items)
    room = {"users_capacity": crowd.users + 1, "items_capacity": crowd.items + 1}
    bench.clear()
    settings = bench.settings(partitions=partitions, **room)
    sent = bench.fill(settings, crowd.all(PASSES))
    with working(bench, settings) as worker:
        worker.past(sent, WITHIN_S)
        worker.stop()
    size = asyncio.run(_saved(settings))
    print(f"\n{partitions} partitions, {crowd.users:,} users, {crowd.items:,} items: ", end="")
    print(f"{size / MB:.0f} MB of state; {args.rounds} rounds of {args.events:,} events")
    found: Rounds = defaultdict(list)
    for n, mode in rig.in_turns(list(MODES), args.rounds):
        sent += bench.fill(settings, crowd.some(args.events, sent, seed=sent))
        changed = msgspec.structs.replace(settings, **MODES[mode])
        found[mode].append(stretch(bench, changed, args.events, crowd.users))
        report.progress(f"round {n + 1}: {mode}: {found[mode][-1].stretch.rate:,.0f} events/s")
    return _print(found, hand_over(bench, settings), obey(bench, settings))


async def _saved(settings: Settings) -> int:
    """Return the bytes of the newest version."""
    async with opened(settings) as store:
        return (await versions.read(store))[0].size


def _print(found: Rounds, handed: HandedOver, obeyed: Obeyed) -> bool:
    on, off = found["on"], found["off"]
    rates = {mode: [f.stretch.rate for f in rounds] for mode, rounds in found.items()}
    for mode, values in rates.items():
        print(f"snapshots {mode}: {figures.Spread.of(values).text()} events/s, ", end="")
        saves = figures.Spread.of([f.saves for f in found[mode]])
        print(f"{saves.text()} shards saved in {_seconds(found[mode])}")
    cost = (1.0 - figures.ratio(rates["on"], rates["off"]).median) * 100
    every = on + off
    starts, stops = [f.start for f in every], [f.stop for f in every]
    lines = [
        ("cost in throughput, %", cost, COST, ""),
        ("event loop held at most, ms", _most(on) * 1e3, HELD_MS, _held(on, off)),
        ("longest GET of a reader, ms", _get(on) * 1e3, GET_MS, f"off: {_get(off) * 1e3:.0f}"),
        ("cold start to the first list, s", max(starts), START_S, _all(starts)),
        ("SIGTERM to the end, s", max(stops), STOP_S, _all(stops)),
        ("revoke, s", handed.revoke, REVOKE_S, _handed(handed)),
        *obeyed.lines(),
    ]
    for what, value, target, beside in lines:
        said = f"{what}: {value:.1f}, {figures.verdict(value, target, True)}"
        print(said + (f" ({beside})" if beside else ""))
    _print_held("while events were learned, snapshots on", [t for f in on for t in f.held])
    _print_held("while it started and ended", [t for f in every for t in f.held_else])
    return all(value <= target for _, value, target, _ in lines)


def _most(rounds: Sequence[Found]) -> float:
    return max((t.seconds for f in rounds for t in f.held), default=0.0)


def _held(on: Sequence[Found], off: Sequence[Found]) -> str:
    worked = max((t.worked for f in on for t in f.held), default=0.0)
    return f"off: {_most(off) * 1e3:.0f}; on a core at most {worked * 1e3:.0f}"


def _get(rounds: Sequence[Found]) -> float:
    return max(figures.quantile(f.gets, 1.0) for f in rounds)


def _all(values: Sequence[float]) -> str:
    return "all: " + ", ".join(f"{value:.1f}" for value in values)


def _handed(handed: HandedOver) -> str:
    return f"{handed.shards}; {handed.until_served:.1f} s until the second worker published"


def _seconds(rounds: Sequence[Found]) -> str:
    return f"{figures.Spread.of([f.stretch.seconds for f in rounds]).text()} s"


def _print_held(when: str, held: Sequence[Told]) -> None:
    """Show what was under way in the longest holds: a profile of what events wait for."""
    often = Counter(t.by for t in held)
    print(f"what held the event loop for 15 ms or more {when}; innermost function first:")
    longest = {by: max(t.seconds for t in held if t.by == by) for by in often}
    for by in sorted(longest, key=lambda by: -longest[by])[:6]:
        print(
            f"  {longest[by] * 1e3:.0f} ms at most, {often[by]} times: {by or 'too short to see'}"
        )


def _arguments() -> Namespace:
    parser = options.parser("snapshots", "what snapshots of a large state cost")
    parser.add_argument("--users", type=int, default=250_000, metavar="N")
    parser.add_argument("--items", type=int, default=60_000, metavar="N")
    parser.add_argument("--events", type=int, default=600_000, metavar="N", help="per round")
    parser.add_argument("--partitions", type=int, nargs="+", default=[4, 64], metavar="N")
    parser.set_defaults(rounds=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("snapshots", main, _arguments()))
