"""How good the lists are: judged before learned, from a cold start, on published streams.

make bench-quality            python -m benchmarks.quality [--data DIR] [--stream NAME]
"""

import sys
from argparse import Namespace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks import figures, options, report
from contracts.settings import Settings
from streams import offline
from streams.sources import reader as source

MEASURES = ("hr_at_10", "hr_at_20", "mrr_at_20", "ndcg_at_10")


class Case(NamedTuple):
    """A stream, whether lists may hold what the user chose, and the figures it must reach."""

    file: Path
    repeats: str
    targets: dict[str, float]


CASES = {
    "rsc15-100k": Case(options.CLICKS, "always", {"hr_at_20": 0.50, "mrr_at_20": 0.21}),
    "movietweetings-100k": Case(options.RATINGS, "never", {}),
}


def main(args: Namespace) -> None:
    """Replay each stream offline and print its figures."""
    for name in args.stream:
        case = CASES[name]
        found = _replay(options.file(args.data, case.file), case, args.limit)
        _print(name, case, found)


def _arguments() -> Namespace:
    parser = options.parser("quality", "quality of the lists on published streams")
    parser.add_argument("--stream", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N events")
    return parser.parse_args()


def _replay(path: str, case: Case, limit: int | None) -> dict[str, Any]:
    settings = msgspec.structs.replace(Settings(), repeats=case.repeats)
    return offline.replay(islice(source.read(path), limit), settings).as_dict()


def _print(name: str, case: Case, found: dict[str, Any]) -> None:
    print(f"\n{name}: {found['events']:,} events in order of time, all in one partition")
    print(
        "prequential (each event judged, then learned) from a cold start, a miss where an item "
        f"is new;\nrepeats {case.repeats}; no seed: nothing is drawn; {found['events_per_s']:,} "
        "events/s here"
    )
    print(figures.table([_row(list_, who, found) for list_, who in _rows(found)]))
    known = found["fresh"]["known"]
    for measure, target in case.targets.items():
        print(
            f"fresh known {measure} {known[measure]:.4f}, {figures.verdict(known[measure], target)}"
        )


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    lists = ("fresh", "stored", "popularity")
    return [(list_, who) for who in ("known", "all") for list_ in lists if who in found[list_]]


def _row(list_: str, who: str, found: dict[str, Any]) -> dict[str, str]:
    figures_ = found[list_][who]
    shown = {measure: f"{figures_[measure]:.4f}" for measure in MEASURES}
    return {"list": list_, "events": who, "n": f"{figures_['n']:,}", **shown}


if __name__ == "__main__":
    sys.exit(report.main("quality", main, _arguments()))
