"""Seconds that the worker's own code takes for events, without Kafka and Redis."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from benchmarks.cases import Row
from contracts.metrics import STAGE_SECONDS, Metric
from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from streams import offline
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.offline import BATCH
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere


class Stages(NoTelemetry):
    """Keeps the seconds that the worker's stages report, and nothing else."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def observe(self, metric: Metric, value: float, n: int = 1, **labels: object) -> None:
        """Add to a stage."""
        if metric is STAGE_SECONDS:
            self.seconds[str(labels["stage"])] += value * n


class Offline:
    """A worker's state for one partition, fed with rows as `streams.offline` does it."""

    def __init__(self, settings: Settings) -> None:
        settings = msgspec.structs.replace(settings, partitions=1)
        self.stages = Stages()
        self.unit = Interactions(settings, self.stages, send_nowhere, send_nowhere)
        self.shard: InteractionsShard = self.unit.open(0)
        self._offset = 0

    def feed(self, rows: Iterable[Row]) -> float:
        """Decode, judge, learn, rank and render rows; return the seconds that this took."""
        seconds = 0.0
        for records in self._batches(rows):
            start = time.perf_counter()
            self.shard.handle(Batch(INTERACTIONS.name, 0, records))
            seconds += time.perf_counter() - start
        return seconds

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[PlainRecord]]:
        rows = iter(rows)
        while taken := list(islice(rows, BATCH)):
            yield [offline.record(self._offset + k, row) for k, row in enumerate(taken)]
            self._offset += len(taken)
