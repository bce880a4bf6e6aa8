"""A town of real events whose guests become accounts, in memory, and what must then be true."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from faust.types import TP

from streams.decode import Dead
from streams.interactions.unit import Interactions
from streams.shards import MAX_BATCH, Batch, Message, NoTelemetry, PlainRecord, send_nowhere
from streams.worker.logins import Logins
from streams.worker.outbox import Entry
from tests.forget_world import HOME, PARTITIONS, TWO, Town
from tests.orders_world import A, B, Living
from tests.streams_kit import NOW

Chosen = tuple[str, float]  # item and time


def named(kind: str, partition: int, n: int) -> list[str]:
    """Return `n` names that belong to a partition."""
    names = (f"{kind}-{k}" for k in range(99))
    return [name for name in names if HOME(name) == partition][:n]


GUEST, NEAR = named("guest", 0, 1)[0], named("account", 0, 1)[0]  # of one partition
FAR = named("account", 1, 1)[0]  # of the other


class Inn(Town):
    """Logs of real events, and of `users`."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.users: list[PlainRecord] = []

    def stray(self, user: str) -> None:
        """Append an event of a user to the wrong partition."""
        wrong = self.logs[TP(A, 1 - HOME(user))]
        wrong.append(self.record(user, len(wrong)))

    def login(self, guest: Any, user: Any) -> None:
        """Say in `users` who a guest was."""
        self.says({"user": user, "merge_from": guest})

    def says(self, value: Any) -> None:
        """Append a message to `users`."""
        data = value if isinstance(value, bytes) else msgspec.json.encode(value)
        self.users.append(PlainRecord(len(self.users), 0, data, b"k"))

    def append(self, message: Message) -> None:
        """Take what a worker produces."""
        assert message.partition is not None
        log = self.logs[TP(message.topic, message.partition)]
        at = round((NOW + 60 * self.sent) * 1000)
        record = PlainRecord(len(log), at, message.value, message.key, message.headers)
        log.append(record)

    def chosen(self, *users: str) -> Counter[Chosen]:
        """Return what was chosen under these names, or any, from the log alone."""
        events = {
            event["event_id"]: event
            for (topic, _), log in self.logs.items()
            if topic == A
            for event in (msgspec.json.decode(r.value or b"") for r in log)
            if "event_id" in event and (not users or event["user"] in users)
        }
        return Counter((event["item"], event["ts"]) for event in events.values())

    def moves(self) -> list[Any]:
        """Return what workers have said of guests, as it stands in the logs."""
        logs = [log for tp, log in sorted(self.logs.items())]
        said = [msgspec.json.decode(r.value or b"") for log in logs for r in log]
        return [message for message in said if "what" in message]


class Host(Living):
    """One worker of all partitions, whose messages reach the logs; its lists are kept."""

    def __init__(self, inn: Inn, settings: Any = TWO, send: Any = send_nowhere) -> None:
        unit = Interactions(settings, NoTelemetry(), send, send)
        super().__init__(inn, unit)
        self.inn = inn
        self.dead: list[tuple[Any, Dead]] = []
        self.deaf = False  # nothing that it produces reaches Kafka: it is about to die
        self.heard = 0

        async def ends() -> dict[str, dict[int, int]]:
            return inn.ends()

        self.logins = Logins(settings, self.owned_shards, ends, self.send, self.bury)
        self.logins.opening = lambda: self.reopen

    async def hear(self) -> None:
        """Read what is new in `users` and have it merged as far as can be."""
        new, self.heard = self.inn.users[self.heard :], len(self.inn.users)
        await self.logins.take(new)
        await self.logins.look()

    async def settle(self, rounds: int = 20) -> None:
        """Go on until nothing happens any more."""
        for _ in range(rounds):
            await super().settle(3)
            await self.hear()

    async def bury(self, dead: Sequence[tuple[Any, Dead]]) -> None:
        """Note what cannot be used."""
        self.dead += dead

    async def send(self, messages: list[Message]) -> None:
        """Produce."""
        for message in messages if not self.deaf else []:
            if message.topic in (A, B):
                self.inn.append(message)
            else:
                await super().send([message])

    def put(self, entry: Entry) -> None:
        """Do what a batch asks for, or die before."""
        if self.deaf:
            return
        for message in entry.effects.messages:
            if message.topic in (A, B):
                self.inn.append(message)
        super().put(entry)

    def history(self, user: str) -> list[Chosen]:
        """Return what a user's history holds, oldest first."""
        held = self.unit.shards[HOME(user)].holds(user)
        return [(choice["item"], choice["ts"]) for choice in held.get("choices", ())]

    def seen(self, user: str) -> set[str]:
        """Return what a user has seen."""
        return set(self.unit.shards[HOME(user)].holds(user).get("seen", ()))


def undisturbed(inn: Inn, settings: Any = TWO) -> Interactions:
    """Return what one fold of the logs knows."""
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    for partition in range(PARTITIONS):
        shard = unit.open(partition)
        for topic in (A, B):
            records = inn.logs[TP(topic, partition)]
            for at in range(0, len(records), MAX_BATCH):
                shard.handle(Batch(topic, partition, records[at : at + MAX_BATCH]))
    return unit
