"""Backup: a version of the state goes into a file, and from a file into a Redis.

Redis is the only thing that changes, and only after every byte of the file was checked. Without a
file the state is let go, and workers make it anew from the log.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from contracts.errors import InputError, StateRefused
from contracts.settings import Settings
from state import archive, versions
from state.manifest import Log, Manifest
from state.opened import opened
from state.versions import Version
from streams.control.known import known
from streams.interactions.unit import Interactions
from streams.kafka import offsets
from streams.kafka.log_ends import Bounds
from streams.predictions.unit import PredictorsUnit
from streams.worker import adopt as adopting
from streams.worker import adopt_orders
from streams.worker.startup import identify

UNITS = (Interactions, PredictorsUnit)


class Source(NamedTuple):
    """Where a state comes from: the file, the key that signed it, and how its log fits to ours."""

    path: Path
    key: str
    adopt: adopting.How | None = None


def export(settings: Settings, path: Path, wanted: str = "") -> Version:
    """Write a version, the newest complete one if none is named, and return it.

    Raises:
        InputError: there is no such version, or the file cannot be written.
        RedisAway: no Redis answers.
        StateRefused: what is saved was written by another format or River.
    """
    fresh = path.with_name(path.name + ".part")
    try:
        with fresh.open("wb") as out:
            version = asyncio.run(_export(settings, out, wanted))
        fresh.replace(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name a file to write") from None
    finally:
        fresh.unlink(missing_ok=True)
    return version


async def _export(settings: Settings, out: BinaryIO, wanted: str) -> Version:
    async with opened(settings) as store:
        found = await versions.read(store)
        for version in versions.choose(found, wanted):
            try:
                out.seek(0)
                out.truncate()
                await archive.write(store, version.shards, settings.snapshot_key, out)
            except archive.Gone as error:
                gone = error  # a newer one has taken its place: those that lie apart stay longer
            else:
                return version
        raise InputError(
            f"{gone} was dropped while it was read; name an older of `headwater versions`"
        )


def restore(settings: Settings, source: Source) -> Version:
    """Put a file's version in the place of all that the Redis holds, and return it.

    Raises:
        InputError: the file is damaged or cannot be read.
        StateRefused, TopicsDiffer: workers run, or it belongs to another log.
        KafkaAway, RedisAway: no broker, or no Redis answers.
    """
    try:
        with source.path.open("rb") as file:
            return _restore(settings, source, file)
    except OSError as error:
        raise InputError(f"{source.path}: {error.strerror or error}") from None


def _restore(settings: Settings, source: Source, file: BinaryIO) -> Version:
    version = _checked(source, file)
    check_still(settings)
    topics = {topic for m in version.shards.values() for topic in m.log.topics}
    here = identify(settings, [unit for unit in UNITS if topics & set(unit.topics)])
    moved = _fitting(settings, version.shards, here, source, file)
    asyncio.run(_replace(settings, file, moved))
    return version


def _checked(source: Source, file: BinaryIO) -> Version:
    try:
        manifests = archive.check(file, source.key)
        return _one_version(manifests)
    except InputError as error:
        raise InputError(f"{source.path}: {error}; nothing was changed") from None


def _one_version(manifests: Mapping[str, Manifest]) -> Version:
    found = versions.group({name: [manifest] for name, manifest in manifests.items()})
    if len(found) != 1 or found[0].missing:
        raise InputError("it does not hold one version of all partitions")
    return found[0]


def _fitting(
    settings: Settings,
    manifests: Mapping[str, Manifest],
    here: Log,
    source: Source,
    file: BinaryIO,
) -> adopting.Adopted:
    adopting.check_layout(manifests, here)
    if source.adopt is None:
        adopting.check_log(manifests, here)
    bounds, how = offsets.bounds(settings), source.adopt or "same"
    adopting.check_offsets(manifests, bounds, how)
    if source.adopt is not None:
        manifests = _heeding(settings, manifests, bounds, source.adopt)
    return adopting.adopt(manifests, here, how, lambda places: archive.pick(file, places))


def _heeding(
    settings: Settings,
    manifests: Mapping[str, Manifest],
    bounds: Mapping[tuple[str, int], Bounds],
    how: adopting.How,
) -> Mapping[str, Manifest]:
    schedule = known(settings)
    if how == "same":
        return adopt_orders.same(manifests, schedule)
    adopt_orders.check_start(manifests, schedule, bounds)
    return manifests


async def _replace(settings: Settings, file: BinaryIO, moved: adopting.Adopted) -> None:
    async with opened(settings) as store:
        await archive.restore(store, file, moved.manifests, moved.chunks)


def let_go(settings: Settings) -> list[offsets.Progress]:
    """Let all snapshots go, so that the next workers begin anew; return what the log still has.

    Raises:
        StateRefused, TopicsDiffer: workers run, or the topics are not those agreed on.
        KafkaAway, RedisAway: no broker, or no Redis answers.
    """
    check_still(settings)
    identify(settings, UNITS)
    found = offsets.progress(settings)
    asyncio.run(_clear(settings))
    return found


async def _clear(settings: Settings) -> None:
    async with opened(settings) as store:
        await store.storage.clear()


def check_still(settings: Settings) -> None:
    """Raise StateRefused if workers of the group run; one that is paused is fenced by the epoch."""
    if running := offsets.members(settings):
        raise StateRefused(
            f"{running} workers of the group '{settings.group}' run; stop them first (SIGTERM)"
        )
