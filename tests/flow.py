"""Helps tests to make events, run counting workers beside them, and read what they saved."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from contracts.settings import Settings
from headwater.local import Supervised, spawn
from state.connection import connect
from state.redis_storage import RedisStorage
from state.snapshots import Snapshots
from streams.kafka.topics import ensure
from tests import children

USERS, ITEMS = 97, 11


class Saved(NamedTuple):
    """What all snapshots say together."""

    users: Counter[str]
    items: Counter[str]
    offsets: int
    until: dict[int, int]
    shared_until: dict[int, int]


class Flow:
    """The events that a test has made, and what must come of them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        ensure(settings)
        self.settings = settings
        self.users: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self._folder = folder
        self._workers = 0
        self._sent = 0
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka,
                "partitioner": "murmur2_random",
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": 60_000,
            }
        )

    @property
    def sent(self) -> int:
        """How many events there are."""
        return self._sent

    def send(self, n: int, rate: float = 0.0, value: str = "") -> None:
        """Make `n` events, `rate` a second if given, and wait until the broker has them."""
        start = time.monotonic()
        for i in range(n):
            user, item = f"u{self._sent % USERS}", value or f"i{self._sent % ITEMS}"
            self._put(user, item)
            if rate and i % 50 == 49:
                time.sleep(max(0.0, start + i / rate - time.monotonic()))
        assert self._producer.flush(60) == 0

    def _put(self, user: str, item: str) -> None:
        topic = f"{self.settings.topic_prefix}interactions"
        while True:
            try:
                self._producer.produce(topic, key=user, value=item)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)
        self.users[user] += 1
        self.items[item] += 1
        self._sent += 1

    @contextmanager
    def worker(self, **environ: str) -> Iterator[Supervised]:
        """Run a counting worker; on failure its log is shown."""
        self._workers += 1
        log = self._folder / f"worker{self._workers}.log"
        command: list[str | Path] = [sys.executable, "-W", "ignore", "-m", "tests.counting"]
        child = spawn(command, log, {**os.environ, **children.environ(self.settings), **environ})
        try:
            yield child
        except BaseException:
            sys.stderr.write(log.read_text(encoding="utf-8")[-6000:])
            raise
        finally:
            child.stop()

    def committed(self) -> dict[int, int]:
        """Return the group's committed offsets of `interactions`."""
        topic, group = f"{self.settings.topic_prefix}interactions", self.settings.group
        try:
            with KafkaAdminClient(bootstrap_servers=self.settings.kafka) as admin:
                found = admin.list_group_offsets([group])[group]
        except KafkaError:  # the coordinator is not there yet, or the broker is away
            return {}
        return {tp.partition: at.offset for tp, at in found.items() if tp.topic == topic}

    def end_of(self, topic: str) -> int:
        """Return how many messages a topic of one partition holds."""
        from kafka import KafkaConsumer, TopicPartition

        tp = TopicPartition(self.settings.topic_prefix + topic, 0)
        with KafkaConsumer(bootstrap_servers=self.settings.kafka) as consumer:
            return int(consumer.end_offsets([tp])[tp])

    def newest_chunk(self, name: str) -> str:
        """Return the name of a chunk of the newest snapshot."""

        async def look() -> str:
            client = connect(self.settings)
            storage = RedisStorage(client, self.settings.key_prefix)
            try:
                manifests = await Snapshots(storage, self.settings.snapshot_key, 2).all(name)
                return manifests[0].parts["counts"][0]
            finally:
                await client.aclose()

        return asyncio.run(look())

    def wait(self, done: Callable[[], bool], seconds: float = 40.0) -> None:
        """Return when something has become true."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(0.1)

    def all_committed(self) -> bool:
        """Tell whether every event counts."""
        return sum(self.committed().values()) == self._sent

    def saved(self) -> Saved:
        """Return what the newest snapshots say."""
        return asyncio.run(self._saved())

    async def _saved(self) -> Saved:
        client = connect(self.settings)
        store = Snapshots(
            RedisStorage(client, self.settings.key_prefix), self.settings.snapshot_key, 2
        )
        saved = Saved(Counter(), Counter(), 0, {}, {})
        try:
            for partition in range(self.settings.partitions):
                for manifest in (await store.all(str(partition)))[:1]:
                    parts = await store.load(str(partition), manifest)
                    assert parts is not None
                    users, offsets = msgspec.msgpack.decode(parts["counts"])
                    saved.users.update(users)
                    saved = saved._replace(offsets=saved.offsets + offsets)
                    saved.until[partition] = manifest.offsets["interactions"][partition]
            for manifest in (await store.all("shared"))[:1]:
                parts = await store.load("shared", manifest)
                assert parts is not None
                saved.items.update(msgspec.msgpack.decode(parts["items"]))
                saved.shared_until.update(manifest.offsets["interactions"])
        finally:
            await client.aclose()
        return saved

    def check(self) -> None:
        """Hold that every event counts once: per user, per item, and by the sum of all offsets."""
        saved = self.saved()
        assert sum(saved.until.values()) == sum(saved.shared_until.values()) == self._sent
        assert saved.users == self.users
        assert saved.items == self.items
        assert saved.offsets == sum(n * (n + 1) // 2 for n in saved.until.values())
