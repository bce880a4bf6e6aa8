"""Content: what items that few have chosen gain by their attributes, and what that costs."""

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import cases, figures, ours
from benchmarks.cases import Row
from benchmarks.offline_rate import Offline
from contracts.pipeline import Content, Exploration, Generators, Pipeline
from headwater.shop import Arrivals, shop
from headwater.shop_catalogue import catalogue
from learners.attributes import Described
from learners.batches import Events
from learners.recommender import Recommender
from learners.users import Shape
from streams.interactions.kinds import Attributes as Said

ALONE = Pipeline(generators=Generators(content=Content()))
WITH = Pipeline(generators=Generators(content=Content()), exploration=Exploration(share=0.05))
KINDS = {"without": Pipeline(), "content": ALONE, "and exploration": WITH}
SEED, EVENTS, ITEMS, AT_ONCE = 1, 30_000, 640, 100
YOUNG, FEW, FIRST = 1_000, 5, 10
GAINS, LOSES, FEW_GAIN, RATE = 3.0, 0.99, 1.10, 0.8
KINDS_OF_CLICKED, BRANDS = 40, 400


class Life(NamedTuple):
    """What each event found, and before which event each item was first on a list."""

    place: NDArray[np.int32]
    shown: dict[str, int]

    def hit(self, which: NDArray[np.bool_]) -> float:
        """Return HR@10 of some of the events."""
        return float(((self.place >= 0) & (self.place < FIRST))[which].mean())


Told = Mapping[int, Sequence[tuple[str, Said]]]  # before which event what is said of items


def run(args: Namespace) -> None:
    """Judge lists with and without, on a shop with arrivals and on films; then time both."""
    _shop()
    _films(args)
    _rate(args)


def _live(pipeline: Pipeline, rows: Sequence[Row], told: Told, repeats: str) -> Life:
    known = Described()
    model = Recommender(Shape(), pipeline, repeats == "learn", described=known)
    users, place, shown = model.open(), list[NDArray[np.int32]](), dict[str, int]()
    for start in range(0, len(rows), AT_ONCE):
        for name, attributes in told.get(start, ()):
            known.tell(name, attributes)
        some = rows[start : start + AT_ONCE]
        user, item, ts = ([row[name] for row in some] for name in ("user", "item", "ts"))
        never = repeats == "never"
        events = Events.choices(user, item, ts, barred=never, first_version=start + 1)
        learned = model.learn(users, events)
        place.append(learned.verdicts.fresh)
        for slot in np.unique(learned.lists.item).tolist():
            if slot >= 0:
                shown.setdefault(model.ids.names[slot], start + len(some))
    return Life(np.concatenate(place), shown)


def _shop() -> None:
    arrivals = Arrivals()
    rows = list(shop(SEED, items=ITEMS, events=EVENTS, arrivals=arrivals))
    said = [(row["item"], row["attributes"]) for row in catalogue(SEED, items=ITEMS)]
    times = arrivals.times(SEED, ITEMS)
    told: dict[int, list[tuple[str, Said]]] = {}
    for time, one in zip(times, said, strict=True):
        told.setdefault(time, []).append(one)
    came = {name: time for time, (name, _) in zip(times, said, strict=True)}
    age = np.array([n - came[row["item"]] for n, row in enumerate(rows)])
    young = (age < YOUNG) & np.array([came[row["item"]] > 0 for row in rows])
    lives = {kind: _live(p, rows, told, "always") for kind, p in KINDS.items()}
    print(f"simulated shop, seed {SEED}, {EVENTS:,} events, {ITEMS} items, half of them come one")
    print(f"by one, every {arrivals.every} events; lists of the moment, before each event")
    late = [name for name, time in came.items() if 0 < time < EVENTS - YOUNG]
    print(figures.table([_line(kind, life, young, came, late) for kind, life in lives.items()]))
    _verdicts(lives["and exploration"], lives["without"], young, GAINS, "young")


def _line(
    kind: str, life: Life, young: NDArray[np.bool_], came: Mapping[str, int], late: Sequence[str]
) -> dict[str, str]:
    waits = sorted(life.shown.get(name, EVENTS) - came[name] for name in late)
    return {
        "lists": kind,
        f"HR@{FIRST} all": f"{life.hit(young | ~young):.4f}",
        f"items younger than {YOUNG:,} events ({young.sum():,})": f"{life.hit(young):.4f}",
        "events to the first list: median": f"{waits[len(waits) // 2]:,}",
        "longest": f"{waits[-1]:,}",
    }


def _verdicts(life: Life, without: Life, few: NDArray[np.bool_], gains: float, who: str) -> None:
    everything = few | ~few
    gained = life.hit(few) / max(without.hit(few), 1e-9)
    kept = life.hit(everything) / without.hit(everything)
    print(f"{who}: {gained:.2f} x, {figures.verdict(gained, gains)}")
    print(f"all: {kept:.3f} x, {figures.verdict(kept, LOSES)}")


def _films(args: Namespace) -> None:
    case = cases.CASES["movietweetings-100k"]
    args = Namespace(**{**vars(args), "stream": ["movietweetings-100k"]})
    (stream,) = cases.chosen(args)
    films = sorted(cases.films(args.data), key=lambda film: int(film["item"]))
    said = [
        (film["item"], {"title": film["title"], "genres": film["genres"].split("|")})
        for film in films
    ]
    before, few = Counter[str](), np.zeros(len(stream.rows), np.bool_)
    for n, row in enumerate(stream.rows):
        few[n] = before[row["item"]] < FEW
        before[row["item"]] += 1
    print(f"\n{stream.name}, {len(said):,} films told of at the begin by title and genres")
    lives = {kind: _live(p, stream.rows, {0: said}, case.repeats) for kind, p in KINDS.items()}
    rows = [
        {
            "lists": kind,
            f"HR@{FIRST} all": f"{life.hit(few | ~few):.4f}",
            f"films with < {FEW} earlier events ({few.sum():,})": f"{life.hit(few):.4f}",
        }
        for kind, life in lives.items()
    ]
    print(figures.table(rows))
    _verdicts(lives["and exploration"], lives["without"], few, FEW_GAIN, f"< {FEW}")


def _rate(args: Namespace) -> None:
    args = Namespace(**{**vars(args), "stream": ["rsc15-100k"]})
    (stream,) = cases.chosen(args)
    items = sorted({row["item"] for row in stream.rows})
    works: dict[str, Callable[[], float]] = {
        "without": lambda: _seconds("", stream.rows, []),
        "with": lambda: _seconds(f"{__name__}:WITH", stream.rows, items),
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    for n in range(args.rounds + 1):
        for name, work in works.items():
            seconds = work()
            if n:
                found[name].append(len(stream.rows) / seconds)
    print(f"\n{stream.name}, events/s decoded, judged, learned, ranked and rendered, one core,")
    print("with made-up attributes: a category and a brand; median (lowest … highest)")
    for name, rates in found.items():
        print(f"{name}: {figures.Spread.of(rates).text(0)}")
    ratio = figures.ratio(found["with"], found["without"])
    print(f"{ratio.text(3)} x, {figures.verdict(ratio.median, RATE)}")


def _seconds(pipeline: str, rows: Sequence[Row], items: Sequence[str]) -> float:
    worker = Offline(ours.settings("always", pipeline=pipeline))
    for n, item in enumerate(items):
        worker.unit.describe(item, {"category": n % KINDS_OF_CLICKED, "brand": f"b{n % BRANDS}"})
    return worker.feed(rows)
