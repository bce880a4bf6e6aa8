"""The worker with everything but a learner: fetched, decoded, validated, counted, committed.

Transport, intake and snapshots are the worker's own; the shard only remembers who its users are,
as the learner would, for the check that they belong here.
"""

import os
import sys
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from benchmarks.meter import Meter
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS, REKEYED
from streams.interactions.intake import Intake
from streams.run import run
from streams.shards import Batch, Effects, Parts
from streams.telemetry.http import Health
from streams.telemetry.metrics import Telemetry


class CountingShard:
    """One partition: its door, and how many came through."""

    def __init__(self, partition: int, settings: Settings, meter: Meter) -> None:
        self.name = str(partition)
        self._users: set[str] = set()
        self._intake = Intake(settings, partition, self._users.__contains__)
        self._meter = meter
        self._told = False

    def handle(self, batch: Batch) -> Effects:
        """Decode and validate a batch; tell the rate once all are through."""
        taken = self._intake.take(batch)
        self._users.update(taken.user)
        if self._meter.add(taken.outcomes["learned"]) and not self._told:
            self._told = True
            self._meter.tell()
        return Effects(taken.messages)

    def dump(self) -> Parts:
        """Return the door's state."""
        return {"intake": self._intake.dump()}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `dump` was called."""
        self._intake.load(parts["intake"])


class Counting:
    """All partitions of `interactions`, which share nothing but the meter."""

    topics = (INTERACTIONS.name, REKEYED.name)

    def __init__(self, settings: Settings, wanted: int) -> None:
        self._settings = settings
        self._meter = Meter(wanted)

    def open(self, partition: int) -> CountingShard:
        """Return an empty shard."""
        return CountingShard(partition, self._settings, self._meter)

    def close(self, partition: int) -> None:
        """Nothing is kept of it."""


if __name__ == "__main__":
    run(
        read(os.environ),
        Telemetry(CollectorRegistry()),
        Health(),
        make=lambda settings, *_: [Counting(settings, int(sys.argv[1]))],
    )
