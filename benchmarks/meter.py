"""Counts events inside a process and tells their rate, start-up left out."""

import os
import sys
import time

import msgspec


class Reading(msgspec.Struct):
    """What one process did: events, seconds between the first and the last batch, CPU seconds."""

    events: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / max(self.seconds, 1e-9)


class Meter:
    """Counts up to `wanted` events; the clock starts when the first batch is done.

    The first batch is not counted: what it waited for is the start, not the work.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._seen = self._events = 0
        self._began = self._cpu = 0.0

    def add(self, n: int) -> bool:
        """Count `n` more events as done; return whether all are."""
        if self._began:
            self._events += n
        elif n:
            self._began, self._cpu = time.perf_counter(), time.process_time()
        self._seen += n
        return self._seen >= self._wanted

    def reading(self) -> Reading:
        """Return what was counted until now."""
        seconds = time.perf_counter() - self._began
        return Reading(self._events, seconds, time.process_time() - self._cpu)

    def tell(self) -> None:
        """Print the reading on standard output's own descriptor: Faust takes `sys.stdout` away."""
        sys.stdout.flush()
        os.write(1, b"\n" + msgspec.json.encode(self.reading()) + b"\n")
