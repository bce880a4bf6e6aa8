"""Drift: what it is worth to shorten memory where taste changes, and what it costs where not.

make bench-drift              python -m benchmarks.drift [--seeds N] [--stationary N] [--data DIR]
"""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import cases, figures, options, ours, report
from benchmarks.cases import Repeats, Row, Stream
from contracts.pipeline import Pipeline
from headwater.shop import Change, shop
from learners.batches import Events
from streams.interactions.unit import recommender

WINDOW, NEAR, FIRST = 2_000, 0.95, 10  # events; share of the level; places that are a hit
KNOWN = (30_000, 100_000)  # events before the change
OVER, BACK, BEHIND = 10_000, 30_000, 40_000  # of a gradual change; of one that goes; looked at
RATIO, ANEW, FALSE = 0.7, 1.2, 1
AFTER = 20_000  # events that are compared by their mean too: a threshold is a rough measure
AT_ONCE = 10_000
STEADY = "benchmarks.drift:steady"


class Kind(NamedTuple):
    """A planted change, and the event from which the way back is counted."""

    name: str
    change: Change
    since: int


class Life(NamedTuple):
    """Whether each event was a hit of the list of that moment, and where memory was shortened."""

    hits: NDArray[np.bool_]
    turns: list[int]


def steady() -> Pipeline:
    """Return the pipeline that does not react."""
    return Pipeline(reacts=False)


def kinds(known: int) -> list[Kind]:
    """Return the changes that are planted after so many events."""
    return [
        Kind("abrupt", Change(known), known),
        Kind("gradual", Change(known, over=OVER), known),
        Kind("recurring", Change(known, back=BACK), known + BACK),
    ]


def main(args: Namespace) -> bool:
    """Print all of it; tell whether every target was met."""
    print(f"drift: {figures.machine()}")
    print("simulated shop, other companions, bestsellers and favourites after a change; gradual:")
    print(f"over {OVER:,} events; recurring: at the return of the old taste {BACK:,} events later.")
    print(f"Events from there until HR@{FIRST} over the last {WINDOW:,} is {NEAR:.0%} of what it")
    print(f"was before the change; anew: a learner that starts there; since: in {AFTER:,} events")
    seeds = range(1, args.seeds + 1)
    met = [_planted(kind, known, seeds) for known in KNOWN for kind in kinds(known)]
    met.append(_stationary(args.stationary))
    for stream in cases.chosen(args):
        _real(stream)
    return all(met)


def _planted(kind: Kind, known: int, seeds: Iterable[int]) -> bool:
    print(f"\n{kind.name}, after {known:,} events")
    rows = [_row(kind, seed) for seed in seeds]
    shown = [{name: _shown(value) for name, value in row.items()} for row in rows]
    print(figures.table(shown))
    reacting = [row["reacting"] for row in rows]
    ratio = figures.ratio(reacting, [row["not"] for row in rows])
    if kind.name != "abrupt":
        print(f"reacting / not: {ratio.text(2)}")
        return True
    anew = figures.ratio(reacting, [row["anew"] for row in rows])
    print(f"reacting / not: {ratio.text(2)}, {figures.verdict(ratio.median, RATIO, at_most=True)}")
    print(f"reacting / anew: {anew.text(2)}, {figures.verdict(anew.median, ANEW, at_most=True)}")
    return ratio.median <= RATIO and anew.median <= ANEW


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _row(kind: Kind, seed: int) -> dict[str, float]:
    events = list(shop(seed, events=kind.since + BEHIND, change=kind.change))
    live, still = life(events, "always"), life(events, "always", STEADY)
    level = float(still.hits[kind.change.at - WINDOW : kind.change.at].mean())
    found: dict[str, float] = {
        "seed": seed,
        "HR@10 before": level,
        "found after": next((n for n in live.turns if n >= kind.since), -1) - kind.since,
        "turns": len(live.turns),
        "not": back(still.hits[kind.since :], level),
        "reacting": back(live.hits[kind.since :], level),
        "HR@10 since, not": float(still.hits[kind.since :][:AFTER].mean()),
        "and reacting": float(live.hits[kind.since :][:AFTER].mean()),
    }
    if kind.name == "abrupt":
        found["anew"] = back(life(events[kind.since :], "always").hits, level)
    return found


def _stationary(events: int) -> bool:
    lives = [life(shop(1, events=events), "always", pipeline) for pipeline in ("", STEADY)]
    on, off = (float(each.hits.mean()) for each in lives)
    turns = len(lives[0].turns)
    print(f"\nno change, {events:,} events: HR@{FIRST} {on:.4f} reacting, {off:.4f} not")
    print(f"false reactions: {turns}, {figures.verdict(turns, FALSE, at_most=True)}")
    return turns <= FALSE


def _real(stream: Stream) -> None:
    rows, repeats = stream.rows, stream.case.repeats
    on, off = (life(rows, repeats, pipeline) for pipeline in ("", STEADY))
    print(f"\n{stream.name}, {len(rows):,} events, repeats {repeats}: HR@{FIRST} ", end="")
    print(f"{on.hits.mean():.4f} reacting, {off.hits.mean():.4f} not; reactions: {len(on.turns)}")


def life(rows: Iterable[Row], repeats: Repeats, pipeline: str = "") -> Life:
    """Return what became of a stream's events, learned and judged in order."""
    model = recommender(ours.settings(repeats, pipeline=pipeline))
    users, places, turns, done = model.open(), [np.empty(0, np.int32)], list[int](), 0
    for events in _batches(rows, repeats == "never"):
        while events.user:
            verdicts = model.learn(users, events).verdicts
            places.append(verdicts.fresh)
            turns += (np.flatnonzero(verdicts.turn[:, 0]) + done).tolist()
            done += len(verdicts.fresh)
            events = events.after(len(verdicts.fresh))
    place = np.concatenate(places)
    return Life((place >= 0) & (place < FIRST), turns)


def _batches(rows: Iterable[Row], barred: bool) -> Iterator[Events]:
    stream = iter(rows)
    while some := list(islice(stream, AT_ONCE)):
        users, items = ([str(row[name]) for row in some] for name in ("user", "item"))
        yield Events.choices(users, items, [float(row["ts"]) for row in some], barred=barred)


def back(hits: NDArray[np.bool_], level: float, window: int = WINDOW) -> int:
    """Return after how many events the last `window` are near the level; all if never.

    What counts is the first time after the lowest point: a gradual change begins near it.

    >>> back(np.array([True, True, False, False, True, False, True, True]), level=1.0, window=2)
    8
    """
    if len(hits) < window:
        return len(hits)
    sums = np.cumsum(np.concatenate([[0], hits]))
    inside = sums[window:] - sums[:-window]
    lowest = int(inside.argmin())
    near = np.flatnonzero(inside[lowest:] >= NEAR * level * window)
    return lowest + int(near[0]) + window if len(near) else len(hits)


def _arguments() -> Namespace:
    parser = options.parser("drift", "what reacting to a change of taste is worth")
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="streams of each kind (default: 3)"
    )
    parser.add_argument(
        "--stationary", type=int, default=1_000_000, metavar="N",
        help="events without a change (default: 1000000)",
    )  # fmt: skip
    parser.set_defaults(limit=None)
    parser.add_argument(
        "--stream", nargs="*", choices=cases.CASES, default=["rsc15-100k", "movietweetings-100k"],
        help="published streams, learned with and without (default: two)",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("drift", main, _arguments()))
