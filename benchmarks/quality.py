"""How good the lists are: judged before learned, from a cold start, on published streams.

make bench-quality            python -m benchmarks.quality [--data DIR] [--stream …] [--only …]
"""

import sys
import time
from argparse import Namespace
from collections.abc import Callable

from benchmarks import cases, figures, options, report
from benchmarks.cases import Stream
from benchmarks.sections import (
    ablation,
    batch,
    content,
    delay,
    floors,
    lists,
    peers,
    river,
    scenarios,
    speed,
    strangers,
    targets,
    variety,
    workers,
)

# Printed in this order, for each stream.
SECTIONS: dict[str, Callable[[Stream, Namespace], None]] = {
    "targets": targets.run,
    "lists": lists.run,
    "peers": peers.run,
    "batch": batch.run,
    "river": river.run,
    "delay": delay.run,
    "ablation": ablation.run,
    "workers": workers.run,
}
# These have a stream of their own.
APART: dict[str, Callable[[Namespace], None]] = {
    "speed": speed.run,
    "scenarios": scenarios.run,
    "strangers": strangers.run,
    "floors": floors.run,
    "variety": variety.run,
    "content": content.run,
}


def main(args: Namespace) -> None:
    """Print the chosen sections of the chosen streams."""
    print(f"quality: {figures.machine()}")
    print("prequential (each event judged, then learned) from a cold start, all items seen so far")
    print("ranked, a miss where an item is new; known: events of users with at least one before")
    wanted = [name for name in SECTIONS if name in args.only]
    for stream in cases.chosen(args) if wanted else []:
        print(f"\n{stream.name}: {len(stream.rows):,} events, {stream.users:,} users, ", end="")
        print(f"{stream.items:,} items; repeats {stream.case.repeats}")
        for name in wanted:
            _section(f"{stream.name}: {name}", SECTIONS[name], stream, args)
    for name in [name for name in APART if name in args.only]:
        _section(name, APART[name], args)


def _section(title: str, run: Callable[..., None], *given: object) -> None:
    start = time.perf_counter()
    print(f"\n{title}")
    run(*given)
    report.progress(f"{title}: {time.perf_counter() - start:.0f} s")


def _arguments() -> Namespace:
    parser = options.parser("quality", "quality of the lists on published streams")
    parser.add_argument("--stream", nargs="+", choices=cases.CASES, default=list(cases.CASES))
    sections = [*SECTIONS, *APART]
    parser.add_argument(
        "--only", nargs="+", choices=sections, default=sections, help="sections (default: all)"
    )
    parser.add_argument(
        "--repeats", choices=options.REPEATS, help="of our lists (default: what the stream needs)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N events")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("quality", main, _arguments()))
