"""What the simulated shop says: of its items, of what sells out, of guests; and a place in it."""

import threading
from collections.abc import Iterator
from random import Random
from typing import Any

from contracts.errors import HeadwaterError
from contracts.groups import Groups
from contracts.pipeline import Pipeline
from contracts.scenarios import Condition, Scenario
from contracts.settings import Settings
from headwater.shop import names, world
from headwater.shop_guests import Guests

BREAKFAST = ("tea", "coffee", "jam", "bread", "cheese", "honey", "juice", "fruit")
PIPELINE = Pipeline(
    scenarios={"breakfast": Scenario(where={"category": Condition(any_of=BREAKFAST)}, length=10)},
    groups={"category": Groups()},
)
NAME = f"{__name__}:PIPELINE"
SOLD_OUT = 5  # items at a time
EVERY_S = 3.0


def catalogue(seed: int, users: int = 2000, items: int = 640) -> Iterator[dict[str, Any]]:
    """Yield the messages for `items` of the shop with this seed.

    >>> next(catalogue(7))
    {'item': 'tea-01', 'attributes': {'category': 'tea'}, 'hidden': False}
    """
    for name in names(world(Random(seed), users, items)):  # noqa: S311 - a simulation, no secret
        yield {"item": name, "attributes": {"category": name.rpartition("-")[0]}, "hidden": False}


def described(seed: int, users: int = 2000, items: int = 640) -> list[dict[str, Any]]:
    """Return attributes of all items that tell what goes with them, in the order of the shop.

    >>> described(7, 10, 8)[0]
    {'item': 'tea-01', 'attributes': {'category': 'tea', 'text': 'tea01 tea02 tea03 tea04'}}
    """
    taste = world(Random(seed), users, items)  # noqa: S311 - a simulation, no secret
    known = names(taste)

    def words(item: int) -> str:
        return " ".join(sorted(known[n].replace("-", "") for n in {item, *taste.companions[item]}))

    return [
        {"item": name, "attributes": {"category": name.split("-")[0], "text": words(item)}}
        for item, name in enumerate(known)
    ]


class Selling:
    """A thread that sends the catalogue; then items sell out and come back, and guests log in."""

    def __init__(self, seed: int, settings: Settings, guests: Guests) -> None:
        self.error: HeadwaterError | None = None
        self._rows, self._settings, self._guests = list(catalogue(seed)), settings, guests
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
                said = {row["item"]: row for row in [*back, *(r | {"hidden": True} for r in gone)]}
                producer.items(said.values(), self._settings, lambda _: None)
                producer.users(self._guests.known(), self._settings, lambda _: None)
        except HeadwaterError as error:
            self.error = error
