"""What the tests of intake and interactions share: records as Kafka gives them, answers as read."""

from collections.abc import Sequence
from typing import Any

import hiredis
import msgspec

from contracts.pipeline import Pipeline
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.kafka.partitioner import Partitioner
from streams.shards import Batch, Effects, NoTelemetry, PlainRecord, Record

BLEND = Pipeline(head="blend")  # pipelines that tests name
STEADY = Pipeline(reacts=False)
NOW = 1_700_000_000.0  # the time of every record, unless another is given
Headers = Sequence[tuple[str, Any]]
encode = msgspec.json.encode


def event(n: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a valid interaction with its own event id."""
    plain = {"event_id": f"e{n}", "user": "ann", "item": "tea", "action": "view", "ts": NOW - 1}
    return plain | fields


def record(value: Any, offset: int = 0, headers: Headers = (), at: float = NOW) -> Record:
    """Return a record of a dict, or of bytes as they are."""
    data = value if value is None or isinstance(value, bytes) else encode(value)
    return PlainRecord(offset, round(at * 1000), data, b"a key", headers)


def batch(records: Sequence[Record], rekeyed: bool = False, known: bool = False) -> Batch:
    """Return records of partition 0 as a batch."""
    return Batch(REKEYED.name if rekeyed else INTERACTIONS.name, 0, records, known)


def users_of(partition: int, settings: Settings, n: int) -> list[str]:
    """Return `n` users that belong to a partition."""
    owner, found, k = Partitioner(settings.partitioner, settings.partitions), list[str](), 0
    while len(found) < n:
        if owner(f"u{k}") == partition:
            found.append(f"u{k}")
        k += 1
    return found


class Answers:
    """A Redis that is a dict: what was published, by key."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.count = 0

    async def send(self, commands: list[bytes]) -> None:
        """Take commands as a Redis would."""
        for verb, key, value, _, age in map(parse, commands):
            assert (verb, int(age) > 0) == (b"SET", True)
            self.values[key.decode()] = value
            self.count += 1

    def read(self, key: str) -> Any:
        """Return a value as a client would."""
        return msgspec.json.decode(self.values[key])


def parse(command: bytes) -> list[bytes]:
    """Return the words of a Redis command."""
    reader = hiredis.Reader()
    reader.feed(command)
    parts: list[bytes] = reader.gets()
    return parts


def shard_of(settings: Settings) -> tuple[Interactions, InteractionsShard, Answers]:
    """Return a worker's unit, its shard of partition 0, and where its answers go."""
    answers = Answers()
    unit = Interactions(settings, NoTelemetry(), answers.send, answers.send)
    return unit, unit.open(0), answers


def publish(effects: Effects) -> None:
    """Do what has to be done outside, without an event loop: nothing here ever waits."""
    if effects.publish is not None:
        run(effects.publish())


def run(coroutine: Any) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")
