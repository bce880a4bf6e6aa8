"""Offline: the worker's own code over a file, without Kafka and Redis, for figures."""

import itertools
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, DRIFTS, INTERACTIONS
from learners import quality
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere

BATCH = 500
_encode = msgspec.json.Encoder().encode


class Report(NamedTuple):
    """What an offline replay found: events learned, speed, quality by list and by who."""

    events: int
    dead_letters: int
    duplicates: int
    drifts: int
    seconds: float
    judged: dict[str, dict[str, dict[str, Any]]]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it is printed in JSON."""
        return {
            "events": self.events,
            "events_per_s": round(self.events / max(self.seconds, 1e-9)),
            "dead_letters": self.dead_letters,
            "duplicates": self.duplicates,
            "drifts": self.drifts,
            **{list_: self.judged[list_] for list_ in ("fresh", "stored")},
            "popularity": self.judged["popular"],
        }


def replay(
    rows: Iterable[dict[str, Any]],
    settings: Settings,
    batch_size: int = BATCH,
    sweep_s: float | None = None,
) -> Report:
    """Judge, learn and rank every row in order; every event is judged fresh as well.

    Args:
        rows: interactions as plain dicts, the fields of `contracts.events.Interaction`.
        settings: as a worker has them; all users belong to one partition.
        batch_size: events per batch; the figures do not depend on it.
        sweep_s: rank all lists anew each time that so many seconds of event time are full. Only
            those that are judged before the next time are really ranked: nobody sees the others.
    """
    settings = msgspec.structs.replace(settings, partitions=1, fresh_sample=1.0)
    shard = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere).open(0)
    seconds, drifts = 0.0, 0
    outcomes = {"dead_letters": 0, "read": 0}
    for records, sweep in _batches(rows, batch_size, sweep_s):
        start = time.perf_counter()
        if sweep is not None:
            known = shard.users.ids.find_all(sweep.users)
            shard.refreshed(known[known >= 0], sweep.at)
        effects = shard.handle(Batch(INTERACTIONS.name, 0, records))
        seconds += time.perf_counter() - start
        outcomes["read"] += len(records)
        drifts += sum(m.topic == DRIFTS.name for m in effects.messages)
        outcomes["dead_letters"] += sum(m.topic == DEAD_LETTERS.name for m in effects.messages)
    return _report(shard, outcomes, drifts, seconds)


def _report(
    shard: InteractionsShard, outcomes: dict[str, int], drifts: int, seconds: float
) -> Report:
    dead = outcomes["dead_letters"]
    return Report(
        events=shard.learned,
        dead_letters=dead,
        duplicates=outcomes["read"] - dead - shard.learned,
        drifts=drifts,
        seconds=seconds,
        judged=quality.report(shard.quality.total),
    )


def record(offset: int, row: Mapping[str, Any]) -> PlainRecord:
    """Return a row as a broker would give it that got it at its own time."""
    return PlainRecord(offset, math.ceil(float(row["ts"]) * 1000), _encode(row))


class Sweep(NamedTuple):
    """Whose lists are ranked anew before a batch, and when."""

    users: list[str]
    at: float


def _batches(
    rows: Iterable[dict[str, Any]], size: int, sweep_s: float | None
) -> Iterator[tuple[list[PlainRecord], Sweep | None]]:
    """Yield batches of rows, with the sweep that comes before the first batch of each stretch."""
    offsets = itertools.count()
    for number, stretch in itertools.groupby(rows, lambda row: _stretch(row, sweep_s)):
        if sweep_s is not None:
            held = list(stretch)
            users = sorted({str(row["user"]) for row in held})
            sweep: Sweep | None = Sweep(users, number * sweep_s)
            stretch = iter(held)
        else:
            sweep = None
        while batch := list(itertools.islice(stretch, size)):
            yield (
                [record(offset, row) for row, offset in zip(batch, offsets, strict=False)],
                sweep,
            )
            sweep = None


def _stretch(row: dict[str, Any], sweep_s: float | None) -> int:
    return int(float(row["ts"]) // sweep_s) if sweep_s is not None else 0
