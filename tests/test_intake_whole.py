"""Taking a batch by columns gives what taking it one by one gives."""

import random
from typing import Any

import pytest

from contracts.settings import Settings
from streams.interactions import intake
from streams.interactions.intake import Intake
from streams.interactions.window import Window
from streams.kafka.partitioner import Partitioner
from tests.streams_kit import NOW, batch, event, record

ODD: list[Any] = [
    {"user": ""}, {"item": 7}, {"user": 2**3000}, {"ts": NOW * 1000}, {"ts": 1}, {"ts": NOW + 9e5},
    {"ts": NOW - 1000}, {"user": "ä" * 200}, {"session": "s" * 300}, {"impression": 5},
    {"event_id": "again"}, {"item": "i" * 65}, {"user": "x" * 100_000}, {"ts": NOW + 60},
]  # fmt: skip


def batches(seed: int, oddities: float) -> list[list[Any]]:
    rng = random.Random(seed)  # noqa: S311 - a test
    made: list[Any] = []
    for size in (1, 15, 16, 40, 500, 200):
        values: list[Any] = []
        for n in range(size):
            odd = rng.choice(ODD) if rng.random() < oddities else {}
            base = {"event_id": f"{len(made)}-{n}", "user": f"u{rng.randrange(50)}"}
            values.append(event(**{**base, "ts": NOW - rng.random() * 90, **odd}))
            if rng.random() < oddities:
                values[-1] = rng.choice(
                    [None, b"", b"{", b"\xff", b"[]", values[rng.randrange(n + 1)]]
                )
        made.append(values)
    return made


@pytest.mark.parametrize("oddities", [0.0, 0.001, 0.05])
@pytest.mark.parametrize("window", [0, 3, 10_000])
@pytest.mark.parametrize("partitions", [1, 2])
def test_by_columns_or_one_by_one_the_same_comes_out(
    oddities: float, window: int, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(partitions=partitions, duplicates_window=window)
    owner = Partitioner("murmur2", partitions)
    known = {f"u{n}" for n in range(50) if owner(f"u{n}") == 0}
    for seed in range(5):
        doors = [Intake(settings, 0, known.__contains__) for _ in range(2)]
        for values in batches(seed, oddities):
            given = batch([record(value, n) for n, value in enumerate(values)])
            monkeypatch.setattr(intake, "FEWEST", 1)
            whole = doors[0].take(given)
            monkeypatch.setattr(intake, "FEWEST", 10**9)
            each = doors[1].take(given)
            assert whole == each
            assert doors[0].dump() == doors[1].dump()


def test_a_window_of_none_remembers_nothing() -> None:
    window = Window(0)
    window.note(["a"])
    assert "a" not in window
    assert len(window) == 0
