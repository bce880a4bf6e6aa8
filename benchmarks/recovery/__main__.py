"""What disasters take, and how long it is until answers are fresh again.

make bench-recovery          python -m benchmarks.recovery [--only redis-wiped] [--events N]
"""

import sys
import time
from argparse import Namespace
from typing import NamedTuple

from benchmarks import figures, options, report, rig
from benchmarks.recovery.disasters import DISASTERS, Disaster
from benchmarks.recovery.world import world

LINE = "{:<31} {:>6} {:>7} {:>12}  {}"


class Outcome(NamedTuple):
    """Events lost, lists behind, seconds until answers were fresh, what else there is to say."""

    lost: int
    behind: int
    fresh_s: float
    said: str


def main(args: Namespace) -> None:
    """Let each disaster befall a world of its own and print the table."""
    print(f"recovery: {figures.machine()}; {args.events:,} events, then {args.rate:g} a second")
    print(LINE.format("", "lost", "behind", "fresh again", "").rstrip())
    with rig.rig() as bench:
        for name in args.only or DISASTERS:
            found = outcome(bench, DISASTERS[name], args.events, args.rate)
            fresh = f"{found.fresh_s:.1f} s"
            row = (DISASTERS[name].name, f"{found.lost:,}", f"{found.behind:,}", fresh, found.said)
            print(LINE.format(*row).rstrip())


def outcome(bench: rig.Rig, disaster: Disaster, events: int, rate: float) -> Outcome:
    """Let one disaster befall a world that has learned so many events and gets more at a rate."""
    with world(bench, events, rate) as here:
        for _ in range(disaster.workers):
            here.start()
        here.steady()
        begun = time.monotonic()
        said = disaster.befall(here)
        fresh_s = here.fresh(begun)
        lost, behind = here.settle()
    return Outcome(lost, behind, fresh_s, said)


def _arguments() -> Namespace:
    parser = options.parser("recovery", "what disasters take, and for how long")
    add = parser.add_argument
    add("--events", type=int, default=100_000, metavar="N", help="in the log before it happens")
    add("--rate", type=float, default=500.0, metavar="N", help="events per second meanwhile")
    add("--only", nargs="+", choices=DISASTERS, metavar="NAME", help=f"of {', '.join(DISASTERS)}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("recovery", main, _arguments()))
