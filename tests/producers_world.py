"""Events that several producers can share, and a real worker that takes them."""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner.default import murmur2

from contracts.metrics import EVENTS
from contracts.settings import Settings
from headwater.local import Supervised, ports, spawn
from serving.scrape import Samples, answers, scrape
from streams.kafka.topics import ensure
from tests import children

GROUPS, USERS, ITEMS, PER_USER = 4, 10, 30, 50  # users per group; 2,000 events
START = 1_735_689_600.0
RETRY_EVERY = 100  # so many events, then one of them comes again
PATIENCE_S = 60.0


class Event(NamedTuple):
    """An event: its user, its item and the message."""

    user: str
    item: str
    value: str


def groups(seed: int = 7) -> list[list[Event]]:
    """Return events by group of users, who take turns; some come twice, one has no item."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    found = []
    for group in range(GROUPS):
        events: list[Event] = []
        for n in range(USERS * PER_USER):
            user = f"ü{group}.{n % USERS}" if n % 2 else f"u{group}.{n % USERS}"
            events.append(_event(f"{group}-{n}", user, n, int(ITEMS * rng.random() ** 2)))
            if n % RETRY_EVERY == RETRY_EVERY - 1:
                events.append(events[-1])
        events.insert(len(events) // 2, Event(f"u{group}.0", "", f'{{"user": "u{group}.0"}}'))
        found.append(events)
    return found


def _event(event_id: str, user: str, n: int, item: int) -> Event:
    group = int(event_id.split("-")[0])
    ts = START + (group * USERS * PER_USER + n) / 100
    body = {"event_id": event_id, "user": user, "item": f"i{item}", "action": "view", "ts": ts}
    return Event(user, f"i{item}", json.dumps(body, ensure_ascii=False))


def java_partition(user: str, partitions: int) -> int:
    """Return where Java's producer puts a user, by kafka-python's own hash."""
    return int((murmur2(user.encode()) & 0x7FFFFFFF) % partitions)


class World:
    """Topics, the worker on them, and what both tell."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        ensure(settings)
        folder.mkdir(exist_ok=True)
        self.settings = msgspec.structs.replace(settings, metrics_port=ports.quiet())
        self.folder = folder
        self.topic = f"{settings.topic_prefix}interactions"

    @contextmanager
    def worker(self, *options: str, **environ: str) -> Iterator[Supervised]:
        """Run `headwater worker` until the end of the block; it works at its beginning."""
        command: list[str | Path] = [Path(sys.executable).with_name("headwater"), "worker"]
        log = self.folder / "worker.log"
        environ = {**os.environ, "PYTHONWARNINGS": "", **children.environ(self.settings), **environ}
        child = spawn([*command, *options], log, environ)
        try:
            self.until(lambda: answers(f"{self._url}/readyz"))
            yield child
            assert child.stop() in (0, 128 + signal.SIGKILL), "it failed by itself"
        except BaseException:
            sys.stderr.write(log.read_text(encoding="utf-8")[-6000:])
            raise
        finally:
            child.stop()

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.settings.metrics_port}"

    def until(self, done: Callable[[], bool]) -> None:
        """Return when something has become true."""
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, f"it took too long; {self.outcomes()}"
            time.sleep(0.02)

    def outcomes(self, topic: str = "") -> Counter[str]:
        """Return how many messages became what, of one topic or both."""
        samples, labels = scrape(f"{self._url}/metrics") or Samples(), {"topic": topic}
        found = samples.by(EVENTS, "outcome", **(labels if topic else {}))
        return Counter({outcome: int(n) for outcome, n in found.items() if n})

    def came(self) -> int:
        """Return how many messages have come to their end: re-keyed ones have not."""
        found = self.outcomes()
        return found["learned"] + found["duplicate"] + found["dead_letter"]

    def placed(self) -> list[tuple[str, int]]:
        """Return user and partition of each message in `interactions` that can be used."""
        records = self.records("interactions")
        bodies = ((json.loads(record.value), record.partition) for record in records)
        return [(body["user"], partition) for body, partition in bodies if "item" in body]

    def records(self, topic: str) -> list[Any]:
        """Return every record of a topic."""
        name = self.settings.topic_prefix + topic
        with KafkaConsumer(bootstrap_servers=self.settings.kafka, group_id=None) as consumer:
            parts = [TopicPartition(name, p) for p in consumer.partitions_for_topic(name)]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            end, found = sum(consumer.end_offsets(parts).values()), list[Any]()
            while len(found) < end:
                for records in consumer.poll(timeout_ms=1000).values():
                    found += records
        return found
