"""Lists: coverage, figures by length of history, and what a list loses by waiting."""

from argparse import Namespace

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.prequential import live
from benchmarks.tally import WHO, row

SWEPT_SHARE = 0.97


def run(stream: Stream, args: Namespace) -> None:
    """Walk through the stream with River's interface, event by event."""
    found = live(stream, ours.ranker(ours.repeats(stream, args)))
    print("fresh lists by the number of events that the user has had")
    print(figures.table([row({"history": who}, found.fresh.figures(who)) for who in WHO]))
    print("lists by when they were made, all events; a stranger's is made at the moment")
    ages = {
        "fresh: at the moment": found.fresh,
        "stored: at the user's last event": found.stored,
        "swept: there, and at each full hour": found.swept,
    }
    print(figures.table([row({"list": name}, tally.figures()) for name, tally in ages.items()]))
    for measure in ("hr_at_10", "mrr_at_20"):
        share = found.swept.figures()[measure] / max(found.fresh.figures()[measure], 1e-9)
        print(f"swept / fresh {measure} {share:.3f}, {figures.verdict(share, SWEPT_SHARE)}")
    print(f"coverage: {found.fresh.coverage(stream.items):.1%} of {stream.items:,} items in a list")
    us = found.seconds / max(len(stream.rows), 1) * 1e6
    print(f"{us:.0f} µs per event by River's interface: one list of 20, then learn_one")
