"""A town of real events, in memory, and what must be true when somebody of it was forgotten."""

import random
from typing import Any

import msgspec
import pytest
from faust.types import TP

from streams.control.giving import about
from streams.interactions.unit import Interactions
from streams.kafka.partitioner import Partitioner
from streams.shards import MAX_BATCH, Batch, NoTelemetry, PlainRecord, send_nowhere
from streams.worker.tombstones import Tombstones
from tests import saved_state
from tests.orders_world import SETTINGS, A, B, Living, Places
from tests.streams_kit import NOW, users_of

PARTITIONS = 2
TWO = msgspec.structs.replace(SETTINGS, partitions=PARTITIONS, history_length=30)
SHORT = msgspec.structs.replace(TWO, history_length=3)
PEOPLE = [*users_of(0, TWO, 5), *users_of(1, TWO, 5)]
HOME = Partitioner(TWO.partitioner, PARTITIONS)
ANN = next(name for name in (f"the-person-{n}" for n in range(99)) if HOME(name) == 0)


class Town(Places):
    """Logs of real events."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(PARTITIONS)
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.sent = 0

    def visit(self, user: str, n: int = 1) -> None:
        """Append events of a user to the user's partition."""
        for _ in range(n):
            own = self.logs[TP(A, HOME(user))]
            own.append(self.record(user, len(own)))

    def record(self, user: str, offset: int) -> PlainRecord:
        """Return a new event."""
        self.sent += 1
        item = f"i{self.random.randrange(12)}"
        event = {"event_id": f"{user}:{self.sent}", "user": user, "item": item,
                 "action": "view", "ts": NOW + 60 * self.sent}  # fmt: skip
        at = round((NOW + 60 * self.sent) * 1000)
        return PlainRecord(offset, at, msgspec.json.encode(event), user.encode())

    def ends(self) -> dict[str, dict[int, int]]:
        """Return where the logs end."""
        found: dict[str, dict[int, int]] = {A: {}, B: {}}
        for tp, log in self.logs.items():
            found[tp.topic][tp.partition] = len(log)
        return found

    def crowd(self, n: int) -> None:
        """Let people come and go."""
        for _ in range(n):
            self.visit(self.random.choice([*PEOPLE, ANN]))

    def forget(self, user: str = ANN, exact: bool = False) -> str:
        """Give the order, as the command does."""
        self.orders += 1
        order = about(TWO, user, self.ends(), exact)
        self.write(self.seal.sealed(msgspec.structs.replace(order, id=f"o{self.orders}")))
        return f"o{self.orders}"


def worker_of(town: Town, settings: Any = TWO) -> Living:
    return Living(town, Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere))


def never_saw(town: Town, settings: Any = TWO, after: int | None = None) -> saved_state.State:
    """Return what a fold knows that the person's events were left out of, up to an offset."""
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    for partition in range(PARTITIONS):
        shard = unit.open(partition)
        records = [
            r for r in town.logs[TP(A, partition)]
            if r.key != ANN.encode() or (after is not None and r.offset >= after)
        ]  # fmt: skip
        for at in range(0, len(records), MAX_BATCH):
            shard.handle(Batch(A, partition, records[at : at + MAX_BATCH]))
    return saved_state.of(unit, NOW)


def hold_forgotten(worker: Living, town: Town, wanted: saved_state.State) -> None:
    """Hold that a worker knows what was wanted, and that nobody holds the person's name."""
    found = saved_state.of(worker.unit, NOW)
    assert {i: n for i, n in found.seen.items() if n} == {i: n for i, n in wanted.seen.items() if n}
    assert found.history == wanted.history
    assert {i: w for i, w in found.weight.items() if w} == pytest.approx(wanted.weight)
    assert found.near == pytest.approx(wanted.near, rel=1e-5)
    assert ANN not in found.owner
    hold_nowhere(worker, town)


def hold_nowhere(worker: Living, town: Town) -> None:
    name = ANN.encode()
    assert not [c for c, data in town.storage.chunks.items() if name in data]
    assert not [r for r in town.control if name in (r.value or b"")]
    for shard in worker.unit.shards.values():
        assert not [part for part, data in shard.dump().items() if name in data]


def tombstones_of(worker: Living, town: Town) -> Tombstones:
    async def ends() -> dict[str, dict[int, int]]:
        return town.ends()

    async def unpublish(_: str) -> None: ...

    seal = town.seal.sealed
    keeper = Tombstones(TWO, worker.owned_shards, worker.steward.schedule, seal, worker.send)
    keeper.ends, keeper.unpublish = ends, unpublish
    return keeper
