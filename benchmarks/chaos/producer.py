"""A producer of numbered events: most are plain, some are odd in a way that must not matter.

Some are done by guests, who become members: three guests one member, who does something, too.
Meanwhile items are sold out and come back.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import msgspec

from contracts import topics
from contracts.settings import Settings
from headwater.shop import shop
from streams.kafka.partitioner import Partitioner

USERS, ITEMS = 400, 120
TWICE, BROKEN = 0.01, 0.01  # share of events that come again, and of messages that are no events
GUESTS, PER_GUEST = 0.05, 4  # share of what guests do, and how much each, the last as a member
HIDE_EVERY, HIDDEN = 50, 20  # an item is hidden after so many events; at most so many are
STRAYS = 20  # each so many users' producer sends to the wrong partition
TICK_S = 0.01
PATIENCE_S = 120


class Sent(NamedTuple):
    """One message: where it goes, what it holds, and whether it is about a guest."""

    partition: int
    key: bytes
    value: bytes
    guest: str = ""
    topic: str = topics.INTERACTIONS.name


class Login(NamedTuple):
    """A guest becomes a member, once all that the guest did is in the log."""

    guest: str
    member: str


def member_of(guest: str) -> str:
    """Return who a guest turns out to be.

    >>> member_of("guest-7")
    'member-2'
    """
    return f"member-{int(guest.partition('-')[2]) // 3}"


def messages(settings: Settings, seed: int, guests: float = GUESTS) -> Iterator[Sent | Login]:
    """Yield messages for ever: event `n` has the id `simulated-{seed}-{n}`.

    First somebody in each partition chooses every item, so that all workers know all of them.
    `guests` is the share of events that guests and members do.
    """
    random, encode = Random(seed), msgspec.json.Encoder().encode  # noqa: S311 - a simulation
    owner, count = Partitioner(settings.partitioner, settings.partitions), settings.partitions
    shelves = Shelves(random)
    for row in _with_guests(_rows(settings, seed, random), guests, random):
        if isinstance(row, Login):
            yield row
            continue
        user = row["user"]
        partition, (kind, _, n) = owner(user), user.partition("-")
        if count > 1 and kind in ("user", "guest") and int(n) % STRAYS == 0:
            partition = (partition + 1) % count
        guest = user if kind == "guest" else ""
        message = Sent(partition, user.encode(), encode(row), guest)
        yield message
        yield from shelves.after(row["item"])
        if random.random() < TWICE:
            yield message
        if random.random() < BROKEN:
            yield message._replace(value=b"no event: " + row["event_id"].encode())


class Shelves:
    """What is said of items: now and then the one that was just chosen is the last of its kind."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._hidden: list[str] = []

    def after(self, item: str) -> Iterator[Sent]:
        """Yield what is said after an item was chosen."""
        if self._random.random() * HIDE_EVERY >= 1.0 or item in self._hidden:
            return
        self._hidden.append(item)
        yield _told(item, hidden=True)
        if len(self._hidden) > HIDDEN:
            yield _told(self._hidden.pop(0), hidden=False)


def _told(item: str, *, hidden: bool) -> Sent:
    value = msgspec.json.encode({"item": item, "hidden": hidden})
    return Sent(0, item.encode(), value, topic=topics.ITEMS.name)


def _with_guests(
    rows: Iterator[dict[str, Any]], share: float, random: Random
) -> Iterator[dict[str, Any] | Login]:
    """Yield rows, some of them as what guests do; after three a guest becomes a member."""
    done = 0
    for row in rows:
        guest = f"guest-{done // PER_GUEST}"
        if row["user"].startswith("guide-") or random.random() >= share:
            yield row
            continue
        done += 1
        if done % PER_GUEST:
            yield {**row, "user": guest}
            continue
        yield Login(guest, member_of(guest))
        yield {**row, "user": member_of(guest)}


def _rows(settings: Settings, seed: int, random: Random) -> Iterator[dict[str, Any]]:
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
            # In no order, or what follows what would be foretold well, and then no more.
            for k, item in enumerate(random.sample(items, len(items))):
                yield {**some[0], "event_id": f"{guide}-{k}", "user": guide, "item": item}
    yield from stream


class Producing:
    """Sends at a rate from a thread of its own until stopped; `sent` counts what Kafka has."""

    def __init__(self, settings: Settings, seed: int, rate: float, guests: float = GUESTS) -> None:
        from confluent_kafka import Producer

        self.sent = self.failed = 0
        self.members: dict[str, str] = {}  # by whom they were as guests
        self._messages, self._rate = messages(settings, seed, guests), rate
        self._prefix = settings.topic_prefix
        self._under_way: Counter[str] = Counter()
        self._waiting: list[Login] = []
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
        self._producer.flush(PATIENCE_S)
        self._log_in()
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
            self._log_in()

    def _put(self, message: Sent | Login) -> None:
        if isinstance(message, Login):
            self._waiting.append(message)
            return
        self._under_way[message.guest] += 1
        self._producer.produce(
            self._prefix + message.topic, message.value, message.key, message.partition,
            partial(self._delivered, message.guest),
        )  # fmt: skip

    def _log_in(self) -> None:
        """Say who guests are all of whose events are in the log."""
        waiting, self._waiting = self._waiting, []
        for login in waiting:
            if self._under_way[login.guest]:
                self._waiting.append(login)
                continue
            body = msgspec.json.encode({"user": login.member, "merge_from": login.guest})
            self._under_way.pop(login.guest, None)
            self.members[login.guest] = login.member
            self._put(Sent(0, login.member.encode(), body, topic=topics.USERS.name))

    def _delivered(self, guest: str, error: object, _: object) -> None:
        self._under_way[guest] -= 1
        if error is None:
            self.sent += 1
        else:
            self.failed += 1
