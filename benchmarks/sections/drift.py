"""Drift: how many events until the lists are as good as before, when the taste of all changes."""

from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import figures, ours
from benchmarks.cases import Row
from headwater.shop import Change, shop
from learners.batches import Events
from streams.interactions.unit import recommender

CHANGE = 30_000  # events before the change, and behind it
WINDOW, NEAR, FIRST = 2_000, 0.95, 10  # events; share of the level; places that are a hit
RATIO = 1.2
SEEDS = (1, 2, 3)


class Found(NamedTuple):
    """The level before the change, and the events behind it until both are near that again."""

    level: float
    ours: int
    anew: int


def run(args: Namespace) -> None:  # noqa: ARG001 - every section's signature
    """Compare a learner that knew the old taste with one that starts at the change."""
    print(f"simulated shop, other companions, bestsellers and favourites after {CHANGE:,} events;")
    print(f"events until HR@{FIRST} over the last {WINDOW:,} is {NEAR:.0%} of what it was before")
    found = [_found(list(shop(seed, events=2 * CHANGE, change=Change(CHANGE)))) for seed in SEEDS]
    print(figures.table([_row(seed, each) for seed, each in zip(SEEDS, found, strict=True)]))
    ratio = figures.ratio([each.ours for each in found], [each.anew for each in found])
    print(f"ours / anew: {ratio.text(2)}, {figures.verdict(ratio.median, RATIO, at_most=True)}")


def _found(rows: Sequence[Row]) -> Found:
    hits = _hits(rows)
    level = float(hits[CHANGE - WINDOW : CHANGE].mean())
    anew = _hits(rows[CHANGE:])
    return Found(level, back(hits[CHANGE:], level), back(anew, level))


def _hits(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Return whether each chosen item stood high in the list of that moment."""
    model = recommender(ours.settings("always"))
    users, places = model.open(), []
    events = Events.choices(
        [row["user"] for row in rows],
        [row["item"] for row in rows],
        [row["ts"] for row in rows],
    )
    while events.user:
        learned = model.learn(users, events)
        places.append(learned.verdicts.fresh)
        events = events.after(len(learned.user))
    place = np.concatenate(places)
    return (place >= 0) & (place < FIRST)


def back(hits: NDArray[np.bool_], level: float, window: int = WINDOW) -> int:
    """Return after how many events the last `window` are near the level; all if never.

    >>> back(np.array([False, True, False, True, True, True]), level=1.0, window=2)
    5
    """
    if len(hits) < window:
        return len(hits)
    sums = np.cumsum(np.concatenate([[0], hits]))
    near = np.flatnonzero(sums[window:] - sums[:-window] >= NEAR * level * window)
    return int(near[0]) + window if len(near) else len(hits)


def _row(seed: int, found: Found) -> dict[str, str]:
    never = f"never in {CHANGE:,}"
    shown = [f"{n:,}" if n < CHANGE else never for n in (found.ours, found.anew)]
    return {
        "seed": str(seed),
        "HR@10 before": f"{found.level:.4f}",
        "ours, events": shown[0],
        "anew": shown[1],
    }
