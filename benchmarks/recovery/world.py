"""A Kafka, a Redis, workers and a producer, and what they look like after a disaster."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count

import msgspec

from benchmarks import rig, streams
from benchmarks.chaos import saved
from benchmarks.recovery.feed import Feed
from contracts import exits
from contracts.errors import KafkaAway, ServiceFailed
from contracts.settings import Settings
from headwater.local import Supervised
from streams.kafka import offsets, topics
from streams.kafka.partitioner import Partitioner

FRESH_S = 1.0
STALE = 0.001  # share of lists that may be behind: events can be lost
WITHIN_S = 300.0
LOOK_S = 0.02
EVER = 10**9


class World:
    """What a disaster befalls; `settings` are those of all workers and commands."""

    def __init__(self, bench: rig.Rig, history: int, rate: float, stack: ExitStack) -> None:
        self.bench, self._stack = bench, stack
        self.settings: Settings = bench.settings()
        self.workers: list[Supervised] = []
        self._probes = count()
        topics.ensure(self.settings)
        self.feed = Feed(self.settings, streams.shop(EVER), rate)
        self.feed.some(history)
        self.feed.flush(WITHIN_S)
        self.feed.begin()

    def start(self) -> Supervised:
        """Start one more worker."""
        worker = self._stack.enter_context(self.bench.child("headwater", self.settings, "worker"))
        self.workers.append(worker)
        return worker

    def steady(self) -> None:
        """Return when all workers have their partitions, answer at once, and have saved."""
        ready = _within(WITHIN_S, lambda: all(_is_ready(worker) for worker in self.workers))
        if not ready:
            raise ServiceFailed(f"a worker did not start; {_tail(self.workers[-1])}")
        self.fresh(time.monotonic())
        time.sleep(2 * self.settings.snapshot_every_s)

    def stop(self) -> None:
        """End all workers in good order.

        Raises:
            ServiceFailed: one of them did not.
        """
        for worker in self.workers:
            worker.send(signal.SIGTERM)
        for worker in self.workers:
            code = worker.wait(WITHIN_S)
            if code not in (exits.OK.code, 128 + signal.SIGKILL):
                raise ServiceFailed(f"a worker ended with {code}; {_tail(worker)}")
        self.workers.clear()

    def command(self, *words: str) -> None:
        """Give a command as an operator does.

        Raises:
            ServiceFailed: its exit code is not 0.
        """
        with self.bench.child("headwater", self.settings, *words) as child:
            if child.wait(WITHIN_S) != exits.OK.code:
                raise ServiceFailed(f"headwater {' '.join(words)}: {_tail(child)}")

    def fresh(self, since: float) -> float:
        """Return how long after a moment answers are fresh.

        They are when each partition answers an event within a second, and nearly all lists are as
        new as their users' last events: what the broker has of these stands before the probe.

        Raises:
            ServiceFailed: they do not become so.
        """
        while time.monotonic() - since < WITHIN_S:
            last = dict(self.feed.last)
            answered = _within(FRESH_S, partial(self._answered, self._probe()))
            if answered and len(self._behind(last)) <= len(last) * STALE:
                return time.monotonic() - since
        raise ServiceFailed(f"no fresh answers; {_tail(self.workers[-1])}")

    def settle(self) -> tuple[int, int]:
        """Let all be learned and saved; return how many events are lost, and lists behind."""
        for worker in self.workers:
            worker.send(signal.SIGCONT)  # who was paused wakes up to find others in its place
        self.fresh(time.monotonic())
        time.sleep(self.settings.snapshot_every_s)
        self.feed.end()
        if not _within(WITHIN_S, self._all_learned):
            raise ServiceFailed(f"not all was learned; {_tail(self.workers[-1])}")
        self.stop()
        found = saved.read(self.settings)
        parts = [found[str(p)].parts for p in range(self.settings.partitions) if str(p) in found]
        learned = sum(msgspec.msgpack.decode(part["judged"])[0] for part in parts)
        return self.feed.acknowledged - learned, len(self._behind(self.feed.last))

    def _probe(self) -> list[str]:
        """Send an event of a new user to each partition; return these users."""
        owner = Partitioner(self.settings.partitioner, self.settings.partitions)
        users: dict[int, str] = {}
        while len(users) < self.settings.partitions:
            user = f"probe-{next(self._probes)}"
            users.setdefault(owner(user), user)
        for n, user in users.items():
            self.feed.send(streams.visit(user, 0, 0, n) | {"user": user})
        self.feed.flush(FRESH_S)
        return list(users.values())

    def _answered(self, users: list[str]) -> bool:
        return not self._behind(dict.fromkeys(users, 0.0))

    def _behind(self, last: Mapping[str, float]) -> list[str]:
        """Return the users whose list is missing, or older than their last event."""
        from redis import RedisError

        try:
            there = saved.lists(self.settings, list(last))
        except RedisError:
            return list(last)
        return [user for user, ts in last.items() if user not in there or there[user].ts < ts]

    def _all_learned(self) -> bool:
        try:
            return not any(at.lag for at in offsets.progress(self.settings))
        except KafkaAway:
            return False


@contextmanager
def world(bench: rig.Rig, history: int, rate: float) -> Iterator[World]:
    """Give a world whose log has some history; its workers have ended when the block is left."""
    with ExitStack() as stack:
        made = World(bench, history, rate, stack)
        try:
            yield made
        finally:
            made.feed.end()


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    begun = time.monotonic()
    while not done():
        if time.monotonic() - begun > seconds:
            return False
        time.sleep(LOOK_S)
    return True


def _is_ready(worker: Supervised) -> bool:
    return b": ready" in worker.log.read_bytes()


def _tail(child: Supervised) -> str:
    return f"its last words: {child.log.read_text(errors='replace')[-2000:]}"
