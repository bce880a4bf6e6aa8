"""Whom the lists serve, as a table for each grouping: hits, places and popularity by group."""

from html import escape
from math import isnan, nan
from typing import NamedTuple

from contracts import metrics
from contracts.metrics import Metric
from serving.page.parts import number
from serving.scrape import Samples

ROWS = 10
HEADING = (
    "<h2>Groups <span>whom the lists serve; share of the last events, judged before</span></h2>"
)
TOO_LITTLE = "<b class='hw-short'>too little</b>"
HEADS = ("", "HR@10", "95 %", "of places", "of choices", "popularity")


class Row(NamedTuple):
    """What is known of one group, NaN where nothing is."""

    group: str
    figures: list[float]  # hit rate, its bounds; share of places, of choices; popularity
    short_of: frozenset[str]


def tables(samples: Samples) -> str:
    """Return the tables of all groupings, empty where there is none."""
    groupings = sorted(samples.by(metrics.GROUP_HITS, "grouping"))
    whole = "".join(_table(name, rows(samples, name)) for name in groupings)
    return f"{HEADING}{whole}{_price(samples)}" if whole else ""


def rows(samples: Samples, grouping: str) -> list[Row]:
    """Return the groups of a grouping: those that get too little first, then by hit rate."""

    def known(metric: Metric, **labels: str) -> dict[str, float]:
        return samples.by(metric, "group", grouping=grouping, **labels)

    hits = [known(metrics.GROUP_HITS, bound=bound) for bound in ("mean", "low", "high")]
    shares = [known(metrics.GROUP_SHARE, of=of) for of in ("places", "choices")]
    popularity = known(metrics.GROUP_POPULARITY)
    short = {what: known(metrics.GROUP_SHORT, what=what) for what in ("hits", "places")}
    found = list[Row]()
    for group in hits[0]:
        figures = [values.get(group, nan) for values in (*hits, *shares, popularity)]
        short_of = frozenset(what for what in short if short[what].get(group))
        found.append(Row(group, figures, short_of))
    return sorted(found, key=lambda row: (not row.short_of, row.figures[0], row.group))


def _table(name: str, found: list[Row]) -> str:
    few = f", {ROWS} of {len(found)}" if len(found) > ROWS else ""
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    body = "".join(map(_line, found[:ROWS]))
    return (
        f"<h3>{escape(name)}<span>{few}</span></h3>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _price(samples: Samples) -> str:
    """Return what floors cost, empty where there is none."""
    if not samples.has(metrics.FLOOR_HITS):
        return ""
    given, free = (samples.total(metrics.FLOOR_HITS, list=name) for name in ("given", "free"))
    return f"<p>HR@10 with floors {number(given, 3)}, without {number(free, 3)}</p>"


def _line(row: Row) -> str:
    hits, low, high, places, choices, popularity = row.figures
    cells = (
        f"{number(hits, 3)}{_mark(row, 'hits')}",
        f"{number(low, 3)}-{number(high, 3)}",
        f"{_percent(places)}{_mark(row, 'places')}",
        _percent(choices),
        number(popularity, 2),
    )
    return f"<tr><td>{escape(row.group)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _mark(row: Row, what: str) -> str:
    return f" {TOO_LITTLE}" if what in row.short_of else ""


def _percent(share: float) -> str:
    return "-" if isnan(share) else f"{number(100 * share, 1)} %"
