"""Delay: whether it pays to learn at once."""

from argparse import Namespace

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.prequential import delayed
from benchmarks.tally import row

DELAYS_S = {
    "at once": 0.0,
    "after 1 minute": 60.0,
    "after 1 hour": 3_600.0,
    "after 24 hours": 86_400.0,
}


def run(stream: Stream, args: Namespace) -> None:
    """Judge the same ranker by models that have learned only events of some age."""
    print("the same ranker, asked at each event, having learned only events that are so old")
    found = {
        name: delayed(stream, ours.ranker(ours.repeats(stream, args)), delay)
        for name, delay in DELAYS_S.items()
    }
    for who in ("known", "all"):
        rows = [row({f"{who} events": name}, t.figures(who)) for name, t in found.items()]
        print(figures.table(rows))
