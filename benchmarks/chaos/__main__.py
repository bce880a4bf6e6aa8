"""`make chaos`: a seeded schedule of faults, and the verdict; exit code 0 if all is well, else 1.

python -m benchmarks.chaos --seconds 300 --faults 60 --workers 2 --partitions 4 --seed 7

The same seed gives the same schedule; what it meets is as chance has it.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos.planted import PLANTS
from benchmarks.chaos.producer import GUESTS
from benchmarks.chaos.runner import Plan, run
from benchmarks.chaos.schedule import KINDS, plan
from contracts import exits
from contracts.errors import HeadwaterError

EVERY_S = 4.0  # seconds per fault, unless their number is given


def main() -> int:
    """Run it and print the schedule, the faults as they happened, and the verdict."""
    args = _arguments()
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - begun:6.1f}] {text}", flush=True)

    n = args.faults or int(args.seconds / EVERY_S)
    faults = plan(args.seed, args.seconds, n, args.workers, args.only or list(KINDS))
    print(f"seed {args.seed}, {len(faults)} faults planned:", *faults, sep="\n")
    chosen = Plan(
        faults, args.seconds, args.seed, args.workers, args.partitions, args.rate, args.plant,
        args.guests,
    )  # fmt: skip
    folder = Path(args.keep or tempfile.mkdtemp(prefix="headwater-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        verdict = run(chosen, folder, tell)
    except HeadwaterError as error:
        print(f"chaos: {error}; logs in {folder}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return exits.INTERRUPTED.code
    print(verdict.text())
    print(f"seed {args.seed}; logs in {folder}")
    return exits.OK.code if verdict.good else exits.FAILED.code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=main.__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=240.0, metavar="N", help="time for faults (default: 240)")
    add("--seed", type=int, default=random.randrange(10_000), metavar="N", help="default: any")  # noqa: S311 - no secret
    add("--faults", type=int, metavar="N", help="how many (default: one in 4 s)")
    add("--workers", type=int, default=1, metavar="N", help="default: 1")
    add("--partitions", type=int, default=1, metavar="N", help="default: 1")
    add("--rate", type=float, default=400.0, metavar="N", help="events per second (default: 400)")
    add("--guests", type=float, default=GUESTS, metavar="SHARE", help=f"default: {GUESTS}")
    add("--only", nargs="+", choices=KINDS, metavar="KIND", help=f"of {', '.join(KINDS)}")
    add("--plant", choices=PLANTS, default="", help="a bug that must be found")
    add("--keep", metavar="DIR", help="folder for data and logs (default: a temporary one)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
