"""Calls every kernel once, so that the first event finds them compiled and loaded.

Compiling takes 15 s on a machine that has never run them, loading what was compiled a second or
two; both would hold a worker's loop in the middle of its first events.
"""

import asyncio

import msgspec

from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere

EVENTS, USERS, ITEMS = 300, 7, 40
FIRST_TS = 1_000_000_000.0


def warm(settings: Settings | None = None) -> None:
    """Learn, judge, rank, render, save and load a few made-up events, and forget them."""
    small = msgspec.structs.replace(
        settings or Settings(),
        partitions=1,
        fresh_sample=1.0,
        users_capacity=2 * USERS,
        items_capacity=2 * ITEMS,
    )
    unit = Interactions(small, NoTelemetry(), send_nowhere, send_nowhere)
    for n in range(ITEMS):
        unit.describe(f"item{n}", {"odd": n % 2})
    shard = unit.open(0)
    shard.handle(Batch(INTERACTIONS.name, 0, [_record(n) for n in range(EVENTS)]))
    unit.hide(frozenset({"item0"}))
    asyncio.run(unit.tick())
    shared, own = unit.shared_dump(), shard.dump()
    unit.close(0)
    unit.shared_load(shared)
    unit.open(0).load(own)


def _record(n: int) -> PlainRecord:
    ts = FIRST_TS + n
    who, what = f"user{n % USERS}", f"item{n * n % ITEMS}"
    event = {"event_id": str(n), "user": who, "item": what, "action": "view", "ts": ts}
    return PlainRecord(n, int(ts * 1000), msgspec.json.encode(event))
