"""Rows for the tests of predictors: made ones, and elec2 as the replay reads it."""

import random
from typing import Any

import msgspec

from streams.shards import Batch
from streams.sources import examples as source_examples

Row = tuple[dict[str, Any], Any]


def elec_rows(path: str, limit: int | None = None) -> list[Row]:
    """Return features and label of each row."""
    found = []
    for row in source_examples.read(path, "elec", "class"):
        assert row.label is not None
        found.append((row.features["x"], row.label["y"]))
        if len(found) == limit:
            break
    return found


def _prices() -> list[Row]:
    dice = random.Random(7)  # noqa: S311 - not for secrets
    rows = []
    for _ in range(300):
        price, demand = dice.random(), dice.random()
        rows.append(({"price": price, "demand": demand}, int(price > demand)))
    return rows


PRICES = _prices()


class Line(msgspec.Struct, frozen=True):
    """A record as the broker gives it."""

    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = b"k"
    headers: tuple[tuple[str, bytes], ...] = ()


def line(offset: int, ms: int, **value: Any) -> Line:
    """Return a record whose value is this JSON object."""
    return Line(offset, ms, msgspec.json.encode(value))


def batch(topic: str, *lines: Line) -> Batch:
    """Return records of partition 0 of a topic."""
    return Batch(topic, 0, lines)
