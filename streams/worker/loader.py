"""Opens the shards of partitions that are assigned: claims, loads, says where to replay from.

A claim raises the epoch, so that whoever owned the partition before can save nothing more. The
shared state is loaded first, the one that was saved together with the newest snapshots of the
shards if there is one: then all is as it was, to the last bit. Of each shard the newest snapshot is
taken that is not beyond it, so what is replayed is learned by both or, where the shared state knows
it, by the shard alone; such events are judged no more.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.errors import StateRefused, TopicsDiffer
from contracts.topics import CONTROL
from state.manifest import Log, Manifest, Offsets, covers
from state.snapshots import Snapshots
from streams.kafka.log_ends import Bounds
from streams.shards import Sharing, Unit
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
SHARED = "shared"
REBUILD = "rebuild the state from the log: stop all workers, then `headwater worker --rebuild`"


class Return(NamedTuple):
    """The version to open a unit from, until an order is obeyed: its position in `control`.

    Empty is from nothing.
    """

    version: str
    position: int


class ShardLoader:
    """Opens shards of units; the identity of the log they fold is `log`."""

    def __init__(self, owned_shards: OwnedShards, store: Snapshots, log_: Log) -> None:
        self._owned_shards = owned_shards
        self._store = store
        self.log = log_
        self.reached: dict[Unit, Offsets] = {}
        self.ahead: dict[Unit, Offsets] = {}  # where the newest stood when one was loaded
        self.returning: dict[Unit, Return] = {}
        self.obeyed: dict[Unit, int] = {}  # up to which order, in what a unit's shards share

    async def shared(self, unit: Unit, partitions: Sequence[int]) -> None:
        """Load the state that the shards of these partitions share; note how far it has come.

        Raises:
            StateRefused, TopicsDiffer: it belongs to another log.
        """
        self.reached[unit], self.ahead[unit], self.obeyed[unit] = {}, {}, 0
        if not isinstance(unit, Sharing):
            return
        saved = await self._saved(unit, SHARED)
        self.ahead[unit] = saved[0].offsets if saved else {}
        for manifest in await self._preferred(unit, saved, partitions):
            self.check_log(SHARED, manifest, unit.topics)
            parts = await self._store.load(SHARED, manifest)
            await self._owned_shards.standstill.over()
            if parts is not None:
                unit.shared_load(parts)
                self.reached[unit] = manifest.offsets
                obeyed = manifest.offsets.get(CONTROL.name, {})
                self.obeyed[unit] = max(obeyed.values(), default=0)
                return
        await self._owned_shards.standstill.over()
        unit.shared_load({})

    async def _preferred(
        self, unit: Unit, saved: Sequence[Manifest], partitions: Sequence[int]
    ) -> list[Manifest]:
        """Return the shared snapshots, the newest that fits to all shards before the others.

        A crash in the midst of saving leaves one that is ahead of the shards.
        """
        shards = {p: (await self._saved(unit, str(p)))[:1] for p in partitions}
        fitting = [
            shared
            for shared in saved
            if all(_fit(shared, newest, unit.topics, p) for p, newest in shards.items())
        ][:1]
        if saved and not fitting and not await self._any_shard(unit):
            self.check_log(SHARED, saved[0], unit.topics)
            return []  # the first save of all was broken off: the log teaches it again
        return fitting + [manifest for manifest in saved if manifest not in fitting]

    async def _any_shard(self, unit: Unit) -> bool:
        return any([await self._saved(unit, str(p)) for p in self.partitions(unit)])

    async def shard(self, unit: Unit, partition: int, bounds: Mapping[str, Bounds]) -> OwnedShard:
        """Claim and load one shard; it stands where its replay has to begin.

        Raises:
            StateRefused, TopicsDiffer: what is saved cannot be continued from.
        """
        shard = unit.open(partition)
        epoch = await self._store.storage.claim(shard.name)
        return await self._started(OwnedShard(unit, partition, shard, epoch), bounds)

    async def follow(
        self, unit: Sharing, partition: int, bounds: Mapping[str, Bounds]
    ) -> OwnedShard:
        """Load a shard of another worker; it stands where following it has to begin.

        Raises:
            StateRefused, TopicsDiffer: as `shard`.
        """
        shard = unit.follow(partition)
        return await self._started(OwnedShard(unit, partition, shard, 0, followed=True), bounds)

    async def _started(self, owned: OwnedShard, bounds: Mapping[str, Bounds]) -> OwnedShard:
        unit, partition = owned.unit, owned.partition
        try:
            found = await self._load(owned, bounds)
        except BaseException:
            unit.close(partition)
            raise
        start = {topic: bounds[topic].first for topic in unit.topics} | {CONTROL.name: 0}
        if found is not None:
            saved = {topic: at.get(partition, 0) for topic, at in found.offsets.items()}
            start |= {topic: offset for topic, offset in saved.items() if topic in start}
        known = {t: at.get(partition, 0) for t, at in self.reached[unit].items()}
        owned.start(start, known)
        if found is None:
            owned.saved = {}
        owned.looked_at = owned.saved_at = time.monotonic()
        self._owned_shards.add(owned)
        return owned

    def partitions(self, unit: Unit) -> range:
        """Return all partitions of a unit's topics, whoever owns them."""
        return range(self.log.partitions.get(unit.topics[0], 0))

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Return the epochs of shards by their names."""
        return await self._store.storage.epochs(names)

    def check_counts(self, counts: Mapping[str, int]) -> None:
        """Raise TopicsDiffer if topics have other partition counts than when we started."""
        for topic, count in counts.items():
            if not count and self.log.partitions.get(topic):
                raise TopicsDiffer(
                    f"topic '{topic}' is gone: somebody has deleted it; run `headwater topics`, "
                    f"which makes it anew, and {REBUILD}"
                )
            if count != self.log.partitions.get(topic, count):
                raise TopicsDiffer(
                    f"topic '{topic}' now has {count} partitions, not "
                    f"{self.log.partitions[topic]}: users have moved; {REBUILD}"
                )

    async def _load(self, owned: OwnedShard, bounds: Mapping[str, Bounds]) -> Manifest | None:
        name, unit = owned.name, owned.unit
        saved = await self._saved(unit, name)
        for manifest in saved:
            self.check_log(name, manifest, unit.topics)
        whole = all(bound.first == 0 for bound in bounds.values())
        reachable = _reachable(owned, saved, bounds)
        covered = [m for m in reachable if self._covered(unit, m)]
        # A log from 0 on teaches everything again; one without its beginning cannot.
        beyond = [] if whole else [m for m in reachable if m not in covered]
        for manifest in covered + beyond:
            parts = await self._store.load(name, manifest)
            if parts is not None:
                if manifest in beyond:
                    _warn_of_missing(owned)
                owned.shard.load(parts)
                return manifest
        back = self.returning.get(unit)
        rebuilt = back is not None and not back.version
        if not (whole or rebuilt) and (saved or await self._store.holds(name)):
            raise StateRefused(
                f"no snapshot of '{name}' is good and the log no longer begins at 0, so what it "
                f"knew cannot be replayed; check HEADWATER_SNAPSHOT_KEY and Redis, or {REBUILD}"
            )
        return None

    async def _saved(self, unit: Unit, name: str) -> list[Manifest]:
        """Return the good snapshots, newest first; only that of the version to go back to."""
        saved, back = await self._store.all(name), self.returning.get(unit)
        return [m for m in saved if back is None or m.version == back.version]

    def _covered(self, unit: Unit, manifest: Manifest) -> bool:
        """Tell whether the shared state is not behind a snapshot."""
        return not isinstance(unit, Sharing) or covers(self.reached[unit], manifest.offsets)

    def check_log(self, name: str, manifest: Manifest, topics: Iterable[str]) -> None:
        """Raise StateRefused or TopicsDiffer unless a snapshot belongs to our log."""
        here, there = self.log.only(topics), manifest.log
        if here.cluster != there.cluster:
            raise StateRefused(
                f"snapshot '{name}' belongs to the Kafka cluster '{there.cluster}', "
                f"HEADWATER_KAFKA leads to '{here.cluster}'; set the right one, or {REBUILD}"
            )
        if here.partitions != there.partitions:
            raise TopicsDiffer(
                f"snapshot '{name}' was made with partitions {_counts(there)}, now there are "
                f"{_counts(here)}: users have moved; {REBUILD}"
            )
        if here.partitioner != there.partitioner:
            raise StateRefused(
                f"snapshot '{name}' was made with HEADWATER_PARTITIONER={there.partitioner}, now "
                f"it is {here.partitioner}: users would stand in two partitions; set it back, or "
                f"{REBUILD}"
            )
        if here.topics != there.topics:
            raise StateRefused(
                f"snapshot '{name}' was made from topics that were deleted and made anew since; "
                f"{REBUILD}"
            )


def _fit(
    shared: Manifest, newest: Sequence[Manifest], topics: Iterable[str], partition: int
) -> bool:
    """Tell whether a shared state stands where the newest snapshot of a shard does, if any."""

    def at(found: Iterable[Manifest]) -> list[int]:
        return [m.offsets.get(topic, {}).get(partition, 0) for m in found for topic in topics]

    return at([shared]) == (at(newest) or [0 for _ in topics])


def _reachable(
    owned: OwnedShard, saved: Sequence[Manifest], bounds: Mapping[str, Bounds]
) -> list[Manifest]:
    """Return the snapshots from which the log can be read on, newest first.

    Raises:
        StateRefused: there are some but none such, or the log does not come up to one.
    """
    reachable, refused = [], None
    for manifest in saved:
        ats = {t: manifest.offsets.get(t, {}).get(owned.partition, 0) for t in owned.unit.topics}
        try:
            for topic, at in ats.items():
                check_offset(owned, topic, at, bounds[topic])
            reachable.append(manifest)
        except StateRefused as error:
            if any(at > bounds[topic].end for topic, at in ats.items()):
                raise
            refused = refused or error
    if refused is not None and not reachable:
        raise refused
    return reachable


def _warn_of_missing(owned: OwnedShard) -> None:
    log.warning(
        "the shared state is older than every good snapshot of '%s' that the log reaches back to: "
        "items miss the events in between; keep events longer (retention.ms)",
        owned.name,
    )


def check_offset(owned: OwnedShard, topic: str, offset: int, bounds: Bounds) -> None:
    """Raise StateRefused unless the log can be read on from this offset."""
    if bounds.first <= offset <= bounds.end:
        return
    where = (
        f"the state '{owned.name}' continues at offset {offset} of '{topic}', partition "
        f"{owned.partition}, whose log is {bounds.first} to {bounds.end}"
    )
    if offset < bounds.first:
        raise StateRefused(
            f"{where}: events were deleted before they were learned; keep them longer "
            f"(retention.ms), and {REBUILD}"
        )
    raise StateRefused(f"{where}: the log has lost its end or is another one; {REBUILD}")


def _counts(log_: Log) -> str:
    return ", ".join(f"{topic}={n}" for topic, n in sorted(log_.partitions.items())) or "none"
