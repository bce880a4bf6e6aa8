"""A producer of numbered events: most are plain, some are odd in a way that must not matter."""

import threading
import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import msgspec

from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from headwater.shop import shop
from streams.kafka.partitioner import Partitioner

USERS, ITEMS = 400, 120
TWICE, BROKEN = 0.01, 0.01  # share of events that come again, and of messages that are no events
STRAYS = 20  # each so many users' producer sends to the wrong partition
TICK_S = 0.01
PATIENCE_S = 120


class Sent(NamedTuple):
    """One message: where it goes and what it holds."""

    partition: int
    key: bytes
    value: bytes


def messages(settings: Settings, seed: int) -> Iterator[Sent]:
    """Yield messages for ever: event `n` has the id `simulated-{seed}-{n}`.

    First somebody in each partition chooses every item, so that all workers know all of them.
    """
    random, encode = Random(seed), msgspec.json.Encoder().encode  # noqa: S311 - a simulation
    owner, count = Partitioner(settings.partitioner, settings.partitions), settings.partitions
    for row in _rows(settings, seed):
        user = row["user"]
        partition = owner(user)
        if count > 1 and user.startswith("user-") and int(user[5:]) % STRAYS == 0:
            partition = (partition + 1) % count
        message = Sent(partition, user.encode(), encode(row))
        yield message
        if random.random() < TWICE:
            yield message
        if random.random() < BROKEN:
            yield message._replace(value=b"no event: " + row["event_id"].encode())


def _rows(settings: Settings, seed: int) -> Iterator[dict[str, Any]]:
    stream = shop(seed, USERS, ITEMS)
    some = list(islice(shop(seed, USERS, ITEMS), 50 * ITEMS))
    items = sorted({row["item"] for row in some})
    owner, wanted, n = (
        Partitioner(settings.partitioner, settings.partitions),
        set(range(settings.partitions)),
        0,
    )
    while wanted:
        guide, n = f"guide-{n}", n + 1
        if owner(guide) in wanted:
            wanted.discard(owner(guide))
            for k, item in enumerate(items):
                yield {**some[0], "event_id": f"{guide}-{k}", "user": guide, "item": item}
    yield from stream


class Producing:
    """Sends at a rate from a thread of its own until stopped; `sent` counts what Kafka has."""

    def __init__(self, settings: Settings, seed: int, rate: float) -> None:
        from confluent_kafka import Producer

        self.sent = self.failed = 0
        self._messages, self._rate = messages(settings, seed), rate
        self._topic = settings.topic_prefix + INTERACTIONS.name
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": PATIENCE_S * 1000,
                "log_level": 0,
            }
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Send no more; return how many messages the broker did not take."""
        self._over.set()
        self._thread.join()
        left = int(self._producer.flush(PATIENCE_S))
        return left + self.failed

    def _run(self) -> None:
        begun, handed = time.monotonic(), 0
        while not self._over.wait(TICK_S):
            due = int((time.monotonic() - begun) * self._rate) - handed
            for message in islice(self._messages, max(0, due)):
                self._put(message)
                handed += 1
            self._producer.poll(0)

    def _put(self, message: Sent) -> None:
        self._producer.produce(
            self._topic, message.value, message.key, message.partition, self._delivered
        )

    def _delivered(self, error: object, _: object) -> None:
        if error is None:
            self.sent += 1
        else:
            self.failed += 1
