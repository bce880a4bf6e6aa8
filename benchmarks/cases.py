"""The published streams as they are judged: which rows, what may repeat, what must be reached."""

import csv
import gzip
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import options
from streams.sources import reader as source

Row = dict[str, Any]
Repeats = str  # a value of the setting
HOUR = 3600.0


class Case(NamedTuple):
    """A stream; `targets` say what the fresh lists must reach, by (who, measure)."""

    file: Path
    repeats: Repeats
    once: bool  # only the first event of each (user, item)
    targets: dict[tuple[str, str], float]


CASES = {
    "rsc15-100k": Case(
        options.CLICKS,
        "always",
        False,
        {
            ("known", "hr_at_10"): 0.600,
            ("known", "mrr_at_20"): 0.368,
            ("all", "hr_at_10"): 0.480,
            ("all", "mrr_at_20"): 0.287,
        },
    ),
    "rsc15-100k-once": Case(
        options.CLICKS,
        "never",
        True,
        {("all", "hr_at_10"): 0.325, ("all", "mrr_at_20"): 0.174},
    ),
    "movietweetings-100k": Case(
        options.RATINGS,
        "never",
        False,
        {("all", "hr_at_10"): 0.250, ("all", "mrr_at_20"): 0.139},
    ),
}


class Stream(NamedTuple):
    """A case's events in order of time; users and items also as numbers in order of appearance."""

    name: str
    case: Case
    rows: list[Row]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    ts: NDArray[np.float64]
    before: NDArray[np.int32]  # events of the same user before

    @property
    def users(self) -> int:
        """How many users there are."""
        return int(self.user.max(initial=-1)) + 1

    @property
    def items(self) -> int:
        """How many items there are."""
        return int(self.item.max(initial=-1)) + 1

    def hour(self) -> NDArray[np.int64]:
        """Return the full hour of event time in which each event falls."""
        return (self.ts // HOUR).astype(np.int64)


def chosen(args: Namespace) -> Iterator[Stream]:
    """Read the streams that the arguments name, one after the other."""
    for name in args.stream:
        case = CASES[name]
        rows = islice(source.read(options.file(args.data, case.file)), args.limit)
        yield stream(name, case, list(_once(rows) if case.once else rows))


def stream(name: str, case: Case, rows: list[Row]) -> Stream:
    """Return rows with their columns as arrays."""
    users, items = _numbered(rows, "user"), _numbered(rows, "item")
    counts, before = np.zeros(len(rows) + 1, np.int32), np.zeros(len(rows), np.int32)
    for k, user in enumerate(users):
        before[k] = counts[user]
        counts[user] += 1
    return Stream(name, case, rows, users, items, np.array([r["ts"] for r in rows]), before)


def _numbered(rows: list[Row], field: str) -> NDArray[np.int32]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(row[field], len(numbers)) for row in rows], np.int32)


def _once(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out every event whose user has chosen the item before."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        pair = (row["user"], row["item"])
        if pair not in seen:
            seen.add(pair)
            yield row


def films(data: Path) -> list[dict[str, str]]:
    """Return what is known of films: `item`, `title`, and `genres` with | between them.

    Raises:
        InputError: the file is not there.
    """
    path = options.file(data, options.FILMS)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
