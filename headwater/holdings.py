"""Everything that is held about a person: under their id in Redis, in snapshots, in the log."""

import asyncio
import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import KafkaAway, StateRefused
from contracts.settings import Settings
from contracts.topics import PERSONAL

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from state.snapshots import Snapshots


async def held(client: "Redis", settings: Settings, user: str) -> dict[str, Any]:
    """Return what stands under a person's keys, and what the newest snapshots know.

    Raises:
        StateRefused: there are snapshots, and none can be read.
    """
    from state.opened import snapshots
    from state.people import held as found_in
    from state.people import own_keys

    names = own_keys(settings, user)
    found = await found_in(client, names)
    store = snapshots(settings, client)
    return {
        "user": user,
        "redis": {name: msgspec.json.decode(value) for name, value in found.items()},
        "state": await _state(store, settings, user),
        "pending": await _pending(store, settings, user),
    }


async def _state(store: "Snapshots", settings: Settings, user: str) -> dict[str, Any]:
    from streams.interactions.unit import Interactions
    from streams.kafka.partitioner import Partitioner
    from streams.shards import NoTelemetry, send_nowhere
    from streams.worker.loader import SHARED

    partition = Partitioner(settings.partitioner, settings.partitions)(user)
    shared, own = await _newest(store, SHARED), await _newest(store, str(partition))
    if not own:
        return {}
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    unit.shared_load(shared)
    shard = unit.open(partition)
    shard.load(own)
    known = shard.holds(user)
    return {"partition": partition, **known} if known else {}


async def _pending(store: "Snapshots", settings: Settings, user: str) -> dict[str, Any]:
    from streams.predictions.pending import Pending
    from streams.predictions.shard import named

    found: dict[str, Any] = {}
    parts = await _newest(store, named(0)) if settings.predictors else {}
    for name in settings.predictors:
        pending = Pending(settings.pending_capacity)
        if f"pending:{name}" in parts:
            pending.load(parts[f"pending:{name}"])
        if (asked := pending.look(user)) is not None:
            found[name] = {"x": asked.x, "ts": asked.ts}
    return found


async def _newest(store: "Snapshots", name: str) -> Mapping[str, bytes]:
    for manifest in await store.all(name):
        if (parts := await store.load(name, manifest)) is not None:
            return parts
    if await store.holds(name):
        raise StateRefused(
            f"no snapshot of '{name}' can be read: HEADWATER_SNAPSHOT_KEY is not the workers', or "
            "see the log"
        )
    return {}


def in_log(settings: Settings, user: str) -> dict[str, list[Any]]:
    """Return the messages of a person that the log still has, by topic.

    Raises:
        KafkaAway: no broker answers.
    """
    from aiokafka.errors import KafkaError

    try:
        return asyncio.run(_in_log(settings, user))
    except KafkaError as error:
        raise KafkaAway(
            f"the broker at {settings.kafka} did not answer ({error}); check HEADWATER_KAFKA"
        ) from None


async def _in_log(settings: Settings, user: str) -> dict[str, list[Any]]:
    from faust.types import TP

    from streams.kafka.log_ends import LogEnds
    from streams.kafka.mentions import MentionReader

    ends, read, prefix = LogEnds(settings), MentionReader(settings), settings.topic_prefix
    found: dict[str, list[Any]] = {}
    try:
        counts = await ends.counts(prefix + topic.name for topic in PERSONAL)
        for topic in PERSONAL:
            for partition in range(counts.get(prefix + topic.name, 0)):
                tp = TP(prefix + topic.name, partition)
                until = {topic.name: (await ends.ends([tp]))[tp]}
                records = (await read(partition, until, user))[topic.name]
                own = [message for r in records if (message := _own(r, user)) is not None]
                if own:
                    found.setdefault(topic.name, []).extend(own)
    finally:
        await ends.stop()
    return found


def _own(record: Any, user: str) -> Any:
    """Return a message if it is a person's, else None."""
    try:
        body = msgspec.json.decode(record.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return base64.b64encode(record.value).decode() if record.key == user.encode() else None
    named = isinstance(body, dict) and user in (str(body.get(f)) for f in ("user", "id", "key"))
    return body if named or record.key == user.encode() else None
