"""A producer that goes on whatever befalls, and knows what the broker has acknowledged."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.streams import Row
from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from streams.kafka.producer import PARTITIONERS

TICK_S = 0.01
PATIENCE_S = 120


class Feed:
    """Sends rows at a rate from a thread of its own; each has another `event_id`.

    `acknowledged` counts what the broker has taken, `last` is the newest time of each user there.
    """

    def __init__(self, settings: Settings, rows: Iterator[Row], rate: float) -> None:
        self.acknowledged = 0
        self.last: dict[str, float] = {}
        self._settings, self._rows, self._rate = settings, rows, rate
        self._topic = settings.topic_prefix + INTERACTIONS.name
        self._encode = msgspec.json.Encoder().encode
        self._counting = threading.Lock()
        self._producer = _producer(settings)
        self._over, self._thread = threading.Event(), threading.Thread(target=self._run)

    def begin(self) -> None:
        """Send at the rate from now on."""
        self._over, self._thread = threading.Event(), threading.Thread(target=self._run)
        self._thread.start()

    def end(self, patience_s: float = PATIENCE_S) -> None:
        """Send no more; wait a while for the broker to take all of it, and let go what it did not.

        What comes later is sent by a producer that knows nothing of this one.
        """
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush(patience_s)
        self._producer.purge()
        self._producer = _producer(self._settings)

    def send(self, row: Row) -> None:
        """Hand a row of one's own to the broker."""
        value, key = self._encode(row), row["user"].encode()
        self._producer.produce(
            self._topic, value, key, on_delivery=lambda error, _: self._delivered(row, error)
        )

    def some(self, n: int) -> None:
        """Hand over so many rows at once."""
        for _ in range(n):
            self.send(next(self._rows))

    def flush(self, seconds: float) -> None:
        """Wait at most so long until the broker has what it was handed."""
        self._producer.flush(seconds)

    def _run(self) -> None:
        begun, handed = time.monotonic(), 0
        while not self._over.wait(TICK_S):
            due = int((time.monotonic() - begun) * self._rate)
            self.some(due - handed)
            handed = due
            self._producer.poll(0)

    def _delivered(self, row: Row, error: object) -> None:
        if error is None:
            with self._counting:  # whoever polls or flushes calls this
                self.acknowledged += 1
                self.last[row["user"]] = max(row["ts"], self.last.get(row["user"], 0.0))


def _producer(settings: Settings) -> Any:
    from confluent_kafka import Producer

    return Producer(
        {
            "bootstrap.servers": settings.kafka,
            "partitioner": PARTITIONERS[settings.partitioner],
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.timeout.ms": PATIENCE_S * 1000,
            "queue.buffering.max.messages": 1_000_000,
            "log_level": 0,
        }
    )
