"""Logs, `control`, and workers that come and go: in memory, one step after the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from faust.types import TP

from contracts.control import Action, Control
from contracts.settings import Settings
from contracts.topics import CONTROL
from state.audit import MemoryAudit
from state.manifest import Log
from state.memory import MemoryStorage
from state.snapshots import Snapshots
from streams.control.seal import Seal
from streams.kafka.log_ends import Bounds
from streams.kafka.thread import Fetched
from streams.shards import Message, NoTelemetry, PlainRecord, Unit
from streams.telemetry.http import Health
from streams.worker.farewell import Farewell
from streams.worker.ledger import Ledger
from streams.worker.loader import ShardLoader
from streams.worker.outbox import Entry
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.poison import Poison
from streams.worker.processor import BatchProcessor
from streams.worker.rollback import Rollback
from streams.worker.saver import ShardSaver
from streams.worker.steward import Steward
from streams.worker.waits import Retry, Waits
from tests.counting import CountingUnit

A, B = "interactions", "interactions-rekeyed"
SETTINGS = Settings(snapshot_key="a key for tests only")


class Places:
    """What outlives workers: the logs of two topics, `control`, Redis."""

    def __init__(self, partitions: int = 2, topics: tuple[str, str] = (A, B)) -> None:
        self.partitions, self.topics = partitions, topics
        self.logs: dict[TP, list[PlainRecord]] = {
            TP(topic, p): [] for topic in topics for p in range(partitions)
        }
        self.control: list[PlainRecord] = []
        self.storage, self.audit = MemoryStorage(), MemoryAudit()
        self.seal = Seal(SETTINGS)
        self.orders = 0
        self.letters: list[Message] = []

    def produce(self, partition: int, item: str, n: int = 1, topic: str = A) -> None:
        """Append events."""
        log = self.logs[TP(topic, partition)]
        for _ in range(n):
            log.append(PlainRecord(len(log), 0, item.encode(), b"ann"))

    def give(self, action: Action, **about: Any) -> str:
        """Append an order, as the commands do."""
        self.orders += 1
        at: dict[str, dict[int, int]] = {topic: {} for topic in self.topics}
        for tp, log in self.logs.items():
            at[tp.topic][tp.partition] = len(log)
        self.write(self.seal.sealed(Control(f"o{self.orders}", action, at, 0.0, **about)))
        return f"o{self.orders}"

    def write(self, message: Message) -> None:
        """Append to `control`."""
        n = len(self.control)
        self.control.append(PlainRecord(n, 0, message.value, message.key, message.headers))

    def marks(self, topic: str = A) -> dict[str, dict[int, int]]:
        """Return where each order holds: offset by partition, the first that was said."""
        found: dict[str, dict[int, int]] = {}
        for record in self.control:
            said = self.seal.read(record)
            if said.action == "mark":
                for partition, offset in said.at[topic].items():
                    found.setdefault(said.id, {}).setdefault(partition, offset)
        return found


class Living:
    """One worker of the partitions it is given."""

    def __init__(self, places: Places, unit: Any = None, kept: int = 9) -> None:
        """Counts, unless another unit is given."""
        self.places = places
        self.unit: Any = unit or CountingUnit("t:", _nowhere)
        self.owned_shards = OwnedShards([self.unit], "")
        counts = dict.fromkeys(places.topics, places.partitions)
        log = Log("cluster", {topic: topic for topic in places.topics}, counts)
        self.store = Snapshots(places.storage, "secret", kept)
        self.loader = ShardLoader(self.owned_shards, self.store, log)
        self.saver = ShardSaver(
            self.owned_shards, self.loader, self.store, NoTelemetry(), lambda _: None
        )
        self.position: dict[TP, int] = {}
        self.laps: Counter[TP] = Counter()
        self.read = 0
        retry = Retry(Waits(NoTelemetry(), Health()), ())
        here: Any = self
        self.steward = Steward(
            self.owned_shards,
            self.loader,
            Ledger(places.seal, here, places.audit, retry),
            here,
            NoTelemetry(),
        )
        self.steward.save = self.save
        self.steward.opening = lambda: self.reopen
        self.steward.rollback = Rollback(
            self.owned_shards, self.loader, self.store, self.bounds, self.reload, retry
        )
        self.steward.farewell = Farewell(self.mentions, retry, self.owned_shards.standstill)
        self.reopen = False
        self.processor = BatchProcessor(self.owned_shards, here, here, here, retry)
        self.processor.poison = Poison(NoTelemetry(), self.reload)

    async def open(self, *partitions: int) -> None:
        """Read all of control, then open partitions as after an assignment."""
        await self.deliver()
        self.reopen = False
        for owned in self.owned_shards:
            self.owned_shards.drop(owned)
        await self.loader.shared(self.unit, partitions)
        for partition in partitions:
            found = await self.bounds([TP(topic, partition) for topic in self.places.topics])
            bounds = {tp.topic: at for tp, at in found.items()}
            owned = await self.loader.shard(self.unit, partition, bounds)
            self.steward.plan(owned)
            taken = {TP(topic, partition): owned.taken[topic] for topic in self.places.topics}
            laps = await self.seek_to(taken)
            owned.laps = {tp.topic: lap for tp, lap in laps.items()}

    async def deliver(self) -> None:
        """Let the worker read what is new in control."""
        new, self.read = self.places.control[self.read :], len(self.places.control)
        await self.steward.take(new)

    async def fetch(self, partition: int, most: int, topic: str = A) -> None:
        """Hand over the next records of a partition, as a fetch brings them."""
        tp = TP(topic, partition)
        begin = self.position[tp]
        records: list[Any] = list(self.places.logs[tp][begin : begin + most])
        if records:
            self.position[tp] = begin + len(records)
            fetched = Fetched(tp, records, self.laps[tp], begin)
            await self.processor.handle([fetched], _fail)

    async def settle(self, rounds: int = 40) -> None:
        """Go on until nothing happens any more."""
        for _ in range(rounds):
            if self.reopen:
                await self.open(*range(self.places.partitions))
            for owned in self.owned_shards:
                for topic in self.places.topics:
                    await self.fetch(owned.partition, 7, topic)
            await self.deliver()
            await self.steward.look()

    async def bounds(self, tps: Sequence[TP]) -> dict[TP, Bounds]:
        """Return the logs' bounds."""
        return {tp: Bounds(0, len(self.places.logs[tp])) for tp in tps}

    async def ends(self, tps: Sequence[TP]) -> dict[TP, int]:
        """Return where the logs end."""
        return {tp: len(self.places.logs[tp]) for tp in tps}

    def reload(self, unit: Unit) -> None:
        """Drop everything; `settle` opens it anew."""
        for owned in self.owned_shards.of(unit):
            self.owned_shards.drop(owned)
        self.reopen = True

    async def save(self) -> None:
        """Save everything."""
        await self.saver.save(self.unit)

    async def mentions(self, partition: int, until: Any, name: str) -> dict[str, Any]:
        """Return the records of logs in which a name stands."""
        return {
            topic: [r for r in self.places.logs[TP(topic, partition)][:end]
                    if name.encode() in (r.value or b"")]
            for topic, end in until.items()
        }  # fmt: skip

    def owned(self, partition: int) -> OwnedShard:
        """Return a shard."""
        return next(o for o in self.owned_shards if o.partition == partition)

    # What the parts of the worker ask for: sender, outbox, link.

    async def send(self, messages: list[Message]) -> None:
        """Produce."""
        for message in messages:
            assert message.topic in (CONTROL.name, "dead-letters")
            if message.topic == CONTROL.name:
                self.places.write(message)
            else:
                self.places.letters.append(message)

    async def room(self) -> None:
        """Give others a turn, as an outbox that is full."""
        await asyncio.sleep(0)

    async def empty(self, seconds: float) -> bool:
        """Everything has gone out, always."""
        return seconds > 0

    def put(self, entry: Entry) -> None:
        """Say that effects are done."""
        entry.owned.done[entry.batch.topic] = entry.until

    async def seek_to(self, offsets: dict[TP, int]) -> dict[TP, int]:
        """Go somewhere else in the logs."""
        await asyncio.sleep(0)
        self.position |= offsets
        self.laps.update(offsets.keys())
        return {tp: self.laps[tp] for tp in offsets}


async def _nowhere(_: list[bytes]) -> None: ...


def _fail(error: BaseException) -> None:
    raise error


def run(work: Callable[[Places], Awaitable[Any]], partitions: int = 2) -> None:
    """Do some work in a world of its own."""

    async def go() -> None:
        await work(Places(partitions))

    asyncio.run(go())
