"""What the simulated shop says of its items and guests, and what is made of it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from contracts.errors import HeadwaterError
from contracts.groups import Groups
from contracts.pipeline import Content, Exploration, Generators, Pipeline, Segments
from contracts.scenarios import Condition, Scenario
from contracts.settings import Settings
from headwater.shop import Arrivals, names, world
from headwater.shop_guests import Guests

BREAKFAST = ("tea", "coffee", "jam", "bread", "cheese", "honey", "juice", "fruit")
PIPELINE = Pipeline(
    generators=Generators(content=Content()),
    segments=Segments(context=("country", "device")),
    exploration=Exploration(share=0.05),
    scenarios={"breakfast": Scenario(where={"category": Condition(any_of=BREAKFAST)}, length=10)},
    groups={"category": Groups()},
)
NAME = f"{__name__}:PIPELINE"
SOLD_OUT = 5  # items at a time
EVERY_S = 3.0
ARRIVALS = Arrivals(share=0.1, every=1_500)
AHEAD = 10_000  # events before somebody can choose it an item is told of


def catalogue(seed: int, users: int = 2000, items: int = 640) -> Iterator[dict[str, Any]]:
    """Yield the messages for `items` of the shop with this seed; texts tell what goes together.

    >>> next(catalogue(7, 10, 8))["attributes"]
    {'category': 'tea', 'text': 'tea01 tea02 tea03 tea04'}
    """
    taste = world(Random(seed), users, items)  # noqa: S311 - a simulation, no secret
    known = names(taste)
    for item, name in enumerate(known):
        with_it = {known[n].replace("-", "") for n in {item, *taste.companions[item]}}
        attributes = {"category": name.rpartition("-")[0], "text": " ".join(sorted(with_it))}
        yield {"item": name, "attributes": attributes, "hidden": False}


class Selling:
    """A thread that sends the catalogue; then items arrive, sell out and come back, guests log in.

    `sent` tells how many events were.
    """

    def __init__(
        self, seed: int, settings: Settings, guests: Guests, sent: Callable[[], int]
    ) -> None:
        self.error: HeadwaterError | None = None
        self._settings, self._guests, self._sent = settings, guests, sent
        rows = list(catalogue(seed))
        times = ARRIVALS.times(seed, len(rows))
        self._rows = [row for row, at in zip(rows, times, strict=True) if at == 0]
        coming = [(at, row) for row, at in zip(rows, times, strict=True) if at > 0]
        self._coming = deque(sorted(coming, key=lambda pair: pair[0]))
        self._random = Random(seed)  # noqa: S311 - a simulation, no secret
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Say nothing more; `error` tells what ended it too early."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        from streams.kafka import producer

        try:
            producer.items(self._rows, self._settings, lambda _: None)
            gone: list[dict[str, Any]] = []
            while not self._stop.wait(EVERY_S):
                back, gone = gone, self._random.sample(self._rows, SOLD_OUT)
                new = list(self._arrived())
                said = {row["item"]: row for row in [*back, *map(_sold_out, gone), *new]}
                producer.items(said.values(), self._settings, lambda _: None)
                producer.users(self._guests.known(), self._settings, lambda _: None)
                self._rows += new
        except HeadwaterError as error:
            self.error = error

    def _arrived(self) -> Iterator[dict[str, Any]]:
        """Yield what will be there before the next call."""
        while self._coming and self._coming[0][0] <= self._sent() + AHEAD:
            yield self._coming.popleft()[1]


def _sold_out(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"hidden": True}
