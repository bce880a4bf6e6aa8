"""Figures of groups as gauges; one of which there is nothing more to say is shown no longer."""

from collections.abc import Iterable, Iterator, Sequence

from contracts import metrics
from contracts.metrics import Metric
from learners import groups
from learners.arrays import F64
from learners.groups import CHOSEN, EVENTS, HITS, LISTED, PLACES
from streams.shards import Telemetry

Labels = tuple[tuple[str, str], ...]
Figure = tuple[Metric, Labels, float]


class Shown:
    """Sets gauges, and takes away those that were set before and are not set again."""

    def __init__(self) -> None:
        self._shown: set[tuple[Metric, Labels]] = set()

    def show(self, telemetry: Telemetry, found: Iterable[Figure]) -> None:
        """Have these figures shown, and no others."""
        shown = set[tuple[Metric, Labels]]()
        for metric, labels, value in found:
            telemetry.set(metric, value, **dict(labels))
            shown.add((metric, labels))
        for metric, labels in self._shown - shown:
            telemetry.forget(metric, **dict(labels))
        self._shown = shown


def figures(
    name: str, values: Sequence[str], counts: F64, least: float, items: bool
) -> Iterator[Figure]:
    """Yield the figures of one grouping; of who had no event or no place there is none."""
    yield from _hits(name, values, counts, least)
    yield from _popularity(name, values, counts)
    if items:
        yield from _places(name, values, counts, least)


def _hits(name: str, values: Sequence[str], counts: F64, least: float) -> Iterator[Figure]:
    hits, events = counts[:, HITS], counts[:, EVENTS]
    low, high = groups.interval(hits, events)
    short = groups.short_of_hits(counts, least)
    for labels, n in _there(name, values, events):
        for bound, share in (("mean", hits[n] / events[n]), ("low", low[n]), ("high", high[n])):
            yield metrics.GROUP_HITS, (*labels, ("bound", bound)), float(share)
        yield metrics.GROUP_SHORT, (*labels, ("what", "hits")), float(short[n])


def _popularity(name: str, values: Sequence[str], counts: F64) -> Iterator[Figure]:
    for labels, n in _there(name, values, counts[:, PLACES] * counts[:, CHOSEN]):
        listed = counts[n, LISTED] / counts[n, PLACES]
        chosen = counts[n, CHOSEN] / counts[n, EVENTS]
        yield metrics.GROUP_POPULARITY, labels, float(listed / chosen)


def _places(name: str, values: Sequence[str], counts: F64, least: float) -> Iterator[Figure]:
    events, places = counts[:, EVENTS], counts[:, PLACES]
    short = groups.short_of_places(counts, least)
    for labels, n in _there(name, values, (events + places) * places.sum()):
        for of, part in (("choices", events), ("places", places)):
            share = part[n] / max(part.sum(), 1.0)
            yield metrics.GROUP_SHARE, (*labels, ("of", of)), float(share)
        yield metrics.GROUP_SHORT, (*labels, ("what", "places")), float(short[n])


def _there(name: str, values: Sequence[str], counts: F64) -> Iterator[tuple[Labels, int]]:
    for number, value in enumerate(values):
        if counts[number]:
            yield (("grouping", name), ("group", value)), number
