"""Opens the shards of partitions that are assigned: claims, loads, says where to replay from.

A claim raises the epoch, so that whoever owned the partition before can save nothing more. The
shared state is loaded first; of each shard the newest snapshot is taken that is not beyond it,
so what is replayed is learned by both or, where the shared state knows it, by the shard alone.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence

from contracts.errors import StateRefused, TopicsDiffer
from state.manifest import Log, Manifest, Offsets, covers
from state.snapshots import Snapshots
from streams.kafka.log_ends import Bounds
from streams.shards import Sharing, Unit
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

log = logging.getLogger(__name__)
SHARED = "shared"
REBUILD = "rebuild the state from the log: stop all workers, then `headwater worker --rebuild`"


class ShardLoader:
    """Opens shards of units; the identity of the log they fold is `log`."""

    def __init__(self, owned_shards: OwnedShards, store: Snapshots, log_: Log) -> None:
        self._owned_shards = owned_shards
        self._store = store
        self.log = log_
        self.reached: dict[Unit, Offsets] = {}

    async def shared(self, unit: Unit) -> None:
        """Load the state that the unit's shards share; note how far it has come.

        Raises:
            StateRefused, TopicsDiffer: it belongs to another log.
        """
        self.reached[unit] = {}
        if not isinstance(unit, Sharing):
            return
        for manifest in await self._store.all(SHARED):
            self._check_log(SHARED, manifest, unit.topics)
            parts = await self._store.load(SHARED, manifest)
            if parts is not None:
                unit.shared_load(parts)
                self.reached[unit] = manifest.offsets
                return
        unit.shared_load({})

    async def shard(self, unit: Unit, partition: int, bounds: Mapping[str, Bounds]) -> OwnedShard:
        """Claim and load one shard; it stands where its replay has to begin.

        Raises:
            StateRefused, TopicsDiffer: what is saved cannot be continued from.
        """
        shard = unit.open(partition)
        owned = OwnedShard(unit, partition, shard, await self._store.storage.claim(shard.name))
        try:
            found = await self._load(owned, bounds)
        except BaseException:
            unit.close(partition)
            raise
        start = {topic: bounds[topic].first for topic in unit.topics}
        if found is not None:
            saved = {topic: at.get(partition, 0) for topic, at in found.offsets.items()}
            start |= {topic: offset for topic, offset in saved.items() if topic in start}
        known = {t: self.reached[unit].get(t, {}).get(partition, 0) for t in unit.topics}
        owned.start(start, known)
        owned.looked_at = owned.saved_at = time.monotonic()
        self._owned_shards.add(owned)
        return owned

    async def epochs(self, names: Sequence[str]) -> list[int]:
        """Return the epochs of shards by their names."""
        return await self._store.storage.epochs(names)

    def check_counts(self, counts: Mapping[str, int]) -> None:
        """Raise TopicsDiffer if topics have other partition counts than when we started."""
        for topic, count in counts.items():
            if count != self.log.partitions.get(topic, count):
                raise TopicsDiffer(
                    f"topic '{topic}' now has {count} partitions, not "
                    f"{self.log.partitions[topic]}: users have moved; {REBUILD}"
                )

    async def _load(self, owned: OwnedShard, bounds: Mapping[str, Bounds]) -> Manifest | None:
        name, unit = owned.name, owned.unit
        saved = await self._store.all(name)
        for manifest in saved:
            self._check_log(name, manifest, unit.topics)
        whole = all(bound.first == 0 for bound in bounds.values())
        for manifest in self._usable(unit, saved, whole):
            self._check_bounds(owned, manifest, bounds)
            parts = await self._store.load(name, manifest)
            if parts is not None:
                owned.shard.load(parts)
                return manifest
        if not whole and (saved or await self._store.holds(name)):
            raise StateRefused(
                f"no snapshot of '{name}' is good and the log no longer begins at 0, so what it "
                f"knew cannot be replayed; check HEADWATER_SNAPSHOT_KEY and Redis, or {REBUILD}"
            )
        return None

    def _usable(self, unit: Unit, saved: Sequence[Manifest], whole: bool) -> list[Manifest]:
        """Return snapshots that the shared state is not behind; any, if the log cannot mend it."""
        if not isinstance(unit, Sharing):
            return list(saved)
        usable = [m for m in saved if covers(self.reached[unit], m.offsets)]
        if usable or whole or not saved:
            return usable
        log.warning(
            "the shared state is older than every snapshot of '%s' and the log no longer begins "
            "at 0: items miss the events in between",
            unit.topics[0],
        )
        return list(saved)

    def _check_log(self, name: str, manifest: Manifest, topics: Iterable[str]) -> None:
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

    def _check_bounds(
        self, owned: OwnedShard, manifest: Manifest, bounds: Mapping[str, Bounds]
    ) -> None:
        for topic, at in manifest.offsets.items():
            check_offset(owned, topic, at.get(owned.partition, 0), bounds[topic])


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
