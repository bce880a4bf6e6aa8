"""Reads what workers have saved, as a worker would, and gives names to it."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from state.manifest import Offsets
from state.opened import opened
from state.snapshots import Snapshots
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.kafka.offsets import progress
from streams.shards import NoTelemetry
from streams.worker.loader import SHARED


class State(NamedTuple):
    """All that was learned; weights as they would be with one origin for all, time 0 of `at`."""

    learned: int
    owner: dict[str, int]  # partition by user
    history: dict[str, list[str]]  # newest first
    seen: dict[str, int]
    weight: dict[str, float]
    near: dict[tuple[str, str], float]


def read(settings: Settings, at: float) -> State:
    """Return what the newest snapshots hold; `at` is the time that weights are given for."""
    return of(asyncio.run(_load(settings)), at)


def is_whole(settings: Settings) -> bool:
    """Tell whether what is saved knows the whole log, so that nothing is replayed."""
    newest = asyncio.run(_offsets(settings))
    topics = {settings.topic_prefix + topic.name: topic.name for topic in (INTERACTIONS, REKEYED)}
    return all(
        newest.get(name, {}).get(topics[at.topic], {}).get(at.partition, 0) >= at.end
        for at in progress(settings)
        if at.topic in topics
        for name in (SHARED, str(at.partition))
    )


def of(unit: Interactions, at: float) -> State:
    """Return what a unit holds in memory."""
    state = State(sum(s.learned for s in unit.shards.values()), {}, {}, {}, {}, {})
    _read_items(unit, at, state)
    for partition, shard in unit.shards.items():
        _read_users(shard, partition, unit.model.ids.names, state)
    return state


async def _offsets(settings: Settings) -> dict[str, Offsets]:
    names = [SHARED, *map(str, range(settings.partitions))]
    async with opened(settings) as store:
        saved = {name: await store.all(name) for name in names}
    return {name: manifests[0].offsets for name, manifests in saved.items() if manifests}


async def _load(settings: Settings) -> Interactions:
    async def publish(_: list[bytes]) -> None: ...

    unit = Interactions(settings, NoTelemetry(), publish, publish)
    async with opened(settings) as store:
        unit.shared_load(await _newest(store, SHARED))
        for partition in range(settings.partitions):
            unit.open(partition).load(await _newest(store, str(partition)))
    return unit


async def _newest(store: Snapshots, name: str) -> Mapping[str, bytes]:
    parts = await store.load(name, (await store.all(name))[0])
    assert parts is not None
    return parts


def _read_items(unit: Interactions, at: float, state: State) -> None:
    model, rows, origin = unit.model, unit.model.world.items, unit.model.world.trend.origin
    rules = model.rules
    scale = 2.0 ** ((origin[rules.baseline] - at) / rules.half_lives[rules.baseline])
    pair_scale = 2.0 ** ((origin[-1] - at) / rules.pair_half_life)
    for slot, item in enumerate(names := model.ids.names):
        state.seen[item] = int(rows.seen[slot])
        state.weight[item] = float(rows.weight[slot, rules.baseline] * scale)
        near = _names(names, rows.near[slot], rows.near_size[slot])
        for other, weight in zip(near, rows.near_weight[slot], strict=False):
            state.near[item, other] = float(weight * pair_scale)


def _read_users(shard: InteractionsShard, partition: int, names: list[str], state: State) -> None:
    rows = shard.users.rows
    for user in shard.users.ids.dump()[0]:
        slot = shard.users.ids.find(user)
        assert user not in state.owner, f"{user} is in two partitions"
        state.owner[user] = partition
        state.history[user] = _names(names, rows.history[slot], rows.chosen[slot])


def _names(names: list[str], slots: Any, size: int) -> list[str]:
    return [names[slot] for slot in slots[:size].tolist()]
