"""Whether an event costs more when there are more users and items: a million of each, a thousand.

make bench-growth             python -m benchmarks.growth [--large N] [--rounds N]
"""

import gc
import sys
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import figures, memory, options, ours, report
from benchmarks.cases import Row
from benchmarks.crowds import Crowd
from benchmarks.offline_rate import Offline

PASSES = 2  # events of each user before anything is timed
SMALL = 1_000
EVENTS = 8_000  # per round; in the small world one per user, in so many worlds
FEW = 1_000  # users whose events are the same in both worlds
RATIO = 2.0


Found = dict[str, list[float]]  # µs per event, a value per round
Stages = dict[str, dict[str, float]]  # seconds


class World(NamedTuple):
    """A state that has met everybody, and the number of events that this took."""

    state: Offline
    crowd: Crowd
    events: int


class Held(NamedTuple):
    """Bytes: of the arrays of items and of users, and of everything the process has for both."""

    items: int
    users: int
    rss: int


def main(args: Namespace) -> None:
    """Fill a large world, then time it and small ones in turns."""
    print(f"growth: {figures.machine()}")
    fill(Crowd(SMALL, SMALL))  # kernels are compiled
    large, held = _filled(Crowd(args.large, args.large), args.repeats)
    print(
        f"{args.large:,} users and items against {SMALL:,} of each; all have come {PASSES} times,"
    )
    print(f"no capacity is reached; {EVENTS:,} events a round, {args.rounds} rounds; µs per event:")
    print("decoded, judged on stored and fresh lists, learned, ranked, rendered; not published")
    found, stages = _everybody(large, args)
    _print("everybody alike", found)
    _print_stages(stages, EVENTS * (args.rounds + 1))
    _print(f"the same {FEW:,} users and {FEW:,} items", _the_same(large, args))
    _print_held(held, args.large)


def fill(crowd: Crowd, repeats: str = "always") -> World:
    """Return a state that has room for all of a crowd and has met them all."""
    room = {"users_capacity": crowd.users + 1, "items_capacity": crowd.items + 1}
    state = Offline(ours.settings(repeats, **room))
    state.feed(crowd.all(PASSES))
    return World(state, crowd, PASSES * crowd.users)


def _filled(crowd: Crowd, repeats: str) -> tuple[World, Held]:
    gc.collect()
    before = memory.rss()
    world = fill(crowd, repeats)
    gc.collect()
    users, items = memory.arrays(world.state.shard.users), memory.arrays(world.state.unit.model)
    report.progress(f"filled: {memory.rss() / 2**30:.2f} GiB in memory")
    return world, Held(items - users, users, memory.rss() - before)


def _everybody(large: World, args: Namespace) -> tuple[Found, Stages]:
    """Time events of users drawn from all; a small world is as young as the large one each time."""
    found: Found = {"small": [], "large": []}
    stages: Stages = {"small": defaultdict(float), "large": defaultdict(float)}
    for n in range(args.rounds + 1):
        took = {"small": 0.0, "large": 0.0}
        for part in range(EVENTS // SMALL):
            small = fill(Crowd(SMALL, SMALL), args.repeats)
            for name, world in (("small", small), ("large", large)):
                world.state.stages.seconds.clear()
                rows = world.crowd.some(SMALL, _later(world), seed=1_000 * n + part)
                took[name] += world.state.feed(rows)
                for stage, seconds in world.state.stages.seconds.items():
                    stages[name][stage] += seconds
        _note(found, took, n)
    return found, stages


def _the_same(large: World, args: Namespace) -> Found:
    """Time the same users with the same items; only what else the world holds differs."""
    found: Found = {"small": [], "large": []}
    worlds = {"small": fill(Crowd(SMALL, SMALL), args.repeats), "large": large}
    for n in range(args.rounds + 1):
        took = {
            name: world.state.feed(_few(world, seed=1_000_000 + n))
            for name, world in worlds.items()
        }
        _note(found, took, n)
    return found


def _few(world: World, seed: int) -> Iterator[Row]:
    return Crowd(FEW, FEW).some(EVENTS, _later(world), seed)


def _later(world: World) -> int:
    """Return the number of events that the world has learned: its time goes on from there."""
    return world.state.shard.learned


def _note(found: Found, took: dict[str, float], n: int) -> None:
    """Keep microseconds per event; the first round is not counted."""
    if n:
        for name, seconds in took.items():
            found[name].append(seconds / EVENTS * 1e6)
        report.progress(f"round {n}: " + ", ".join(f"{k} {v[-1]:.1f} µs" for k, v in found.items()))


def _print(name: str, found: Found) -> None:
    ratio = figures.ratio(found["large"], found["small"])
    print(f"\n{name}, median (lowest … highest)")
    for world, us in found.items():
        print(f"  {world}: {figures.Spread.of(us).text(1)} µs per event")
    print(f"  large / small: {ratio.text(2)}, {figures.verdict(ratio.median, RATIO, True)}")


def _print_stages(stages: Stages, events: int) -> None:
    for world, seconds in stages.items():
        us = ", ".join(f"{stage} {s / events * 1e6:.1f}" for stage, s in seconds.items())
        print(f"  {world} by stage, mean of all rounds: {us}")


def _print_held(held: Held, n: int) -> None:
    rest = held.rss - held.items - held.users
    print("\nmemory of the large world")
    print(f"  arrays: {held.users / n:,.0f} bytes per user, {held.items / n:,.0f} per item")
    print(f"  the process: {held.rss / 2**30:.2f} GiB, {held.rss / n:,.0f} bytes per user and item")
    print(f"  beside the arrays (ids, lists, what Python keeps free): {rest / n:,.0f} of these")


def _arguments() -> Namespace:
    parser = options.parser("growth", "cost per event with many users and items, and with few")
    parser.add_argument("--large", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--repeats", choices=options.REPEATS, default="always")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("growth", main, _arguments()))
