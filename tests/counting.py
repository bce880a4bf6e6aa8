"""A worker whose state can be checked by hand: it counts users per partition, items for all.

`python -m tests.counting` runs it with the settings of the environment; COUNTING_FAULT may be
`raise` (the shard fails on the value `poison`) or `hang` (publishing never ends).
"""

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import hiredis
import msgspec

from contracts import settings as contract
from contracts.errors import HeadwaterError
from contracts.settings import Settings
from streams.shards import Batch, Effects, Message, Parts, Telemetry, Unit

Send = Callable[[list[bytes]], Awaitable[None]]
pack: Callable[[Any], bytes] = hiredis.pack_command
FAULT = os.environ.get("COUNTING_FAULT", "")


class CountingShard:
    """Counts the users of one partition and adds up the offsets it has seen."""

    def __init__(self, unit: "CountingUnit", partition: int) -> None:
        self.name = str(partition)
        self.users: Counter[str] = Counter()
        self.offsets = 0
        self._unit = unit

    def handle(self, batch: Batch) -> Effects:
        """Count; publish each user's count; send on what says so."""
        users = {(record.key or b"").decode() for record in batch.records}
        messages = []
        for record in batch.records:
            value = (record.value or b"").decode()
            if value == "poison" and FAULT == "raise":
                raise ValueError("poison")
            if value == "dead":
                messages.append(Message("dead-letters", record.key, record.value))
            self.users[(record.key or b"").decode()] += 1
            self.offsets += record.offset + 1
            if not (batch.known_to_shared or "lists" in batch.frozen):
                self._unit.items[value] += 1
        return Effects(messages, lambda: self._unit.publish({u: self.users[u] for u in users}))

    def dump(self) -> Parts:
        """Return the counts."""
        return {"counts": msgspec.msgpack.encode((self.users, self.offsets))}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Continue from counts."""
        users, self.offsets = msgspec.msgpack.decode(parts["counts"])
        self.users = Counter(users)


class CountingUnit:
    """Counting shards, and the items of all of them together."""

    topics = ("interactions", "interactions-rekeyed")
    models = ("lists",)
    learners = ("lists",)

    def __init__(self, prefix: str, send: Send) -> None:
        self.items: Counter[str] = Counter()
        self._prefix = prefix
        self._send = send

    def open(self, partition: int) -> CountingShard:
        """Return an empty shard."""
        return CountingShard(self, partition)

    def follow(self, partition: int) -> CountingShard:
        """Return an empty shard of another worker."""
        return CountingShard(self, partition)

    def close(self, partition: int) -> None:
        """Forget nothing: nothing is kept per partition."""

    def shared_dump(self) -> Parts:
        """Return the items' counts."""
        return {"items": msgspec.msgpack.encode(self.items)}

    def shared_load(self, parts: Mapping[str, bytes]) -> None:
        """Continue from the items' counts."""
        self.items = Counter(msgspec.msgpack.decode(parts["items"]) if parts else {})

    def clear(self, learner: str) -> None:
        """Forget the items."""
        assert learner == "lists"
        self.items.clear()

    async def publish(self, counts: dict[str, int]) -> None:
        """Let everybody read the counts."""
        if FAULT == "hang":
            await asyncio.Event().wait()
        await self._send(
            [
                pack(("SET", f"{self._prefix}count:{user}", n, "EX", 600))
                for user, n in counts.items()
            ]
        )


def units(settings: Settings, telemetry: Telemetry, redis: Any) -> Sequence[Unit]:  # noqa: ARG001
    """Return the only unit."""
    from state.connection import Pipe

    return [CountingUnit(settings.key_prefix, Pipe(redis).send)]


def main() -> int:
    """Run a counting worker and return its exit code."""
    from prometheus_client import CollectorRegistry

    from streams import run as worker
    from streams.telemetry.http import Health
    from streams.telemetry.metrics import Telemetry

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    settings = contract.read(os.environ)
    try:
        worker.run(settings, Telemetry(CollectorRegistry()), Health(), make=units)
    except HeadwaterError as error:
        sys.stderr.write(f"ended: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
