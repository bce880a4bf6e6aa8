"""What workers have saved, read from outside: signed pages, parts, and the keys beside them."""

import asyncio
import io
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import msgspec
import numpy as np

from contracts.keys import REC, SIM, TOP
from contracts.settings import Settings
from state.connection import connect
from state.manifest import Manifest
from state.redis_storage import RedisStorage
from state.snapshots import Snapshots

SHARED = "shared"
AT_ONCE = 1_000


class Saved(NamedTuple):
    """The newest good snapshot of one name."""

    manifest: Manifest
    parts: dict[str, bytes]


class Person(NamedTuple):
    """What a partition knows of a user, in words that do not depend on slots."""

    history: list[str]  # newest first
    when: list[float]
    met: int


class Given(msgspec.Struct, frozen=True):
    """When a list that stands in Redis was made."""

    version: int
    ts: float


class Entry(msgspec.Struct, frozen=True):
    """An item of a list."""

    item: str


class Listed(msgspec.Struct, frozen=True):
    """What a list holds, whosever it is."""

    items: list[Entry]


async def _read(settings: Settings) -> dict[str, Saved]:
    client = connect(settings)
    storage = RedisStorage(client, settings.key_prefix)
    store = Snapshots(storage, settings.snapshot_key, settings.snapshots_kept)
    found = {}
    try:
        for name in [SHARED, *map(str, range(settings.partitions))]:
            for manifest in (await store.all(name))[:1]:
                parts = await store.load(name, manifest)
                if parts is not None:
                    found[name] = Saved(manifest, parts)
    finally:
        await client.aclose()
    return found


def read(settings: Settings) -> dict[str, Saved]:
    """Return the newest snapshots by name, only those whose every byte is as it was signed."""
    return asyncio.run(_read(settings))


def people(parts: Mapping[str, bytes]) -> dict[str, Person]:
    """Return the users of a partition by name, from the parts of its snapshot."""
    names, slots, _, _ = msgspec.msgpack.decode(parts["ids"])
    items: dict[int, str] = dict(zip(*msgspec.msgpack.decode(parts["items"]), strict=True))
    history, when = _array(parts, "users.history"), _array(parts, "users.when")
    chosen, met = _array(parts, "users.chosen"), _array(parts, "users.met")
    return {
        name: Person(
            [items.get(item, "?") for item in history[slot, : chosen[slot]].tolist()],
            when[slot, : chosen[slot]].tolist(),
            int(met[slot]),
        )
        for name, slot in zip(names, slots, strict=True)
    }


def _array(parts: Mapping[str, bytes], field: str) -> Any:
    return np.load(io.BytesIO(parts[field]), allow_pickle=False)


def ageless(settings: Settings) -> list[str]:
    """Return the keys that would stay in Redis for ever."""
    from redis import Redis

    found = []
    with Redis.from_url(settings.redis) as redis:
        names = list(redis.scan_iter(f"{settings.key_prefix}*", count=AT_ONCE))
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            pipe = redis.pipeline(transaction=False)
            for name in some:
                pipe.ttl(name)
            ages = pipe.execute()
            found += [n.decode() for n, age in zip(some, ages, strict=True) if age == -1]
    return found


def lists(settings: Settings, users: list[str]) -> dict[str, Given]:
    """Return the lists that stand in Redis by user."""
    from redis import Redis

    keys = [REC.at(settings.key_prefix, user=user) for user in users]
    with Redis.from_url(settings.redis) as redis:
        values: list[Any] = list(redis.mget(keys)) if keys else []
    return {
        user: msgspec.json.decode(value, type=Given)
        for user, value in zip(users, values, strict=True)
        if value is not None
    }


def holding(settings: Settings, items: Set[str]) -> list[str]:
    """Return the keys of lists in Redis, of people, items and all, that hold any of these items."""
    from redis import Redis

    found = []
    with Redis.from_url(settings.redis) as redis:
        for key in (REC, SIM, TOP):
            pattern = key.at(settings.key_prefix, user="*", item="*")
            names = list(redis.scan_iter(pattern, count=AT_ONCE))
            values: list[Any] = list(redis.mget(names)) if names else []
            found += [
                name.decode()
                for name, value in zip(names, values, strict=True)
                if value is not None and not items.isdisjoint(_items(value))
            ]
    return found


def _items(value: bytes) -> set[str]:
    return {given.item for given in msgspec.json.decode(value, type=Listed).items}


def counts(parts: Mapping[str, bytes]) -> dict[str, tuple[int, float]]:
    """Return how often each item was chosen, and its share of all by the last half-life."""
    names, slots, _, _ = msgspec.msgpack.decode(parts["ids"])
    seen, weight = _array(parts, "items.seen"), _array(parts, "items.weight")
    total = _array(parts, "trend.total")
    share = weight / total
    return {
        name: (int(seen[slot]), float(share[slot, -1]))
        for name, slot in zip(names, slots, strict=True)
    }


def gap(parts: Mapping[str, bytes]) -> float:
    """Return by what share all choices, by the last half-life, are more than those of each item."""
    weight, total = _array(parts, "items.weight"), _array(parts, "trend.total")
    return float(1.0 - weight[:, -1].sum() / total[-1])
