"""Targets: the worker's own code over the stream, and whether it reaches what it must."""

from argparse import Namespace
from typing import Any

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.tally import row
from streams import offline

WARM = 500
LISTS = ("fresh", "stored", "popularity")


def run(stream: Stream, args: Namespace) -> None:
    """Replay offline: decode, judge, learn, rank, render."""
    settings = ours.settings(ours.repeats(stream, args))
    offline.replay(stream.rows[:WARM], settings)  # kernels are compiled
    found = offline.replay(stream.rows, settings).as_dict()
    print(f"the worker's own code, repeats {settings.repeats}, nothing drawn: no seed")
    print(figures.table(list(_rows(found))))
    us = 1e6 / max(found["events_per_s"], 1)
    print(f"{us:.1f} µs per event: decoded, judged on a fresh and on the stored list, learned,")
    print("ranked, rendered; not published")
    for (who, measure), target in stream.case.targets.items():
        value = found["fresh"][who][measure]
        print(f"fresh {who} {measure} {value:.4f}, {figures.verdict(value, target)}")


def _rows(found: dict[str, Any]) -> list[dict[str, str]]:
    wanted = [(list_, who) for who in ("known", "all") for list_ in LISTS if who in found[list_]]
    return [row({"list": list_, "events": who}, found[list_][who]) for list_, who in wanted]
