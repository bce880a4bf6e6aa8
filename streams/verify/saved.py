"""Versions to compare, and to begin at where the log has lost its begin."""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.control import ROLLBACK
from contracts.errors import InputError
from contracts.topics import CONTROL, INTERACTIONS
from state import versions
from state.snapshots import Snapshots
from state.versions import Version
from streams.control.schedule import Place, Schedule
from streams.interactions.unit import Interactions
from streams.shards import Parts
from streams.worker.loader import SHARED

TOPICS = (*Interactions.topics, CONTROL.name)


class Saved(NamedTuple):
    """A version with its parts by name."""

    version: Version
    parts: Mapping[str, Parts]

    def own(self, partition: int) -> Place:
        """Return up to where a partition's shard had come, in each topic."""
        return at(self.version, str(partition), partition)

    def shared(self, partition: int) -> Place:
        """Return up to where the items had."""
        return at(self.version, SHARED, partition)


def at(version: Version, name: str, partition: int) -> Place:
    """Return up to where a snapshot had come with a partition, in each topic."""
    offsets = version.shards[name].offsets
    return {topic: offsets.get(topic, {}).get(partition, 0) for topic in TOPICS}


def within(low: Place, high: Place) -> bool:
    """Tell whether `high` has come at least as far, as to events."""
    return all(low[topic] <= high[topic] for topic in Interactions.topics)


async def find(store: Snapshots, wanted: str) -> Saved:
    """Return the version of that name, the newest complete one if none is named.

    Raises:
        InputError: there is none, or what there is cannot be loaded.
    """
    chosen = versions.choose(await versions.read(store), wanted)
    for version in chosen:
        if (saved := await _load(store, version)) is not None:
            return saved
    raise InputError(f"version {chosen[-1].name} was dropped, or is damaged; name another one")


async def base(
    store: Snapshots, saved: Saved, first: Mapping[int, int], schedule: Schedule
) -> Saved | None:
    """Return the oldest version before one from which logs that begin there can be read on."""
    for version in reversed(await versions.read(store)):
        if version.created >= saved.version.created:
            break
        fits = version.complete and all(
            _begins(version, saved, schedule, partition, at) for partition, at in first.items()
        )
        if fits and (found := await _load(store, version)) is not None:
            return found
    return None


def _begins(version: Version, saved: Saved, schedule: Schedule, partition: int, first: int) -> bool:
    """Tell whether the fold can go on from here: the items know what the users know, or more.

    A rebuild began at what the log had then, so nothing from before it leads to what came after.
    """
    own, shared = at(version, str(partition), partition), at(version, SHARED, partition)
    rebuilt = _rebuilt(schedule, partition, saved.shared(partition)[CONTROL.name])
    return (
        own[INTERACTIONS.name] >= first and within(own, shared) and shared[CONTROL.name] >= rebuilt
    )


def _rebuilt(schedule: Schedule, partition: int, until: int) -> int:
    """Return the position behind the last order, before a position, to begin with nothing."""
    return max(
        (
            order.position + 1
            for order in schedule.concerning(Interactions.topics, partition)
            if order.position < until
            and (order.asked.action, order.asked.since, order.asked.version)
            == (ROLLBACK, "replay", "")
        ),
        default=0,
    )


async def _load(store: Snapshots, version: Version) -> Saved | None:
    parts: dict[str, Parts] = {}
    for name, manifest in version.shards.items():
        if name == SHARED or name.isdecimal():
            if (found := await store.load(name, manifest)) is None:
                return None
            parts[name] = found
    return Saved(version, parts)
