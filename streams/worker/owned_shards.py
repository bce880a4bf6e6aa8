"""All shards of this worker, found by topic and partition as the broker names them."""

from collections.abc import Iterator, Sequence

from faust.types import TP

from streams.shards import Unit
from streams.worker.owned_shard import OwnedShard
from streams.worker.standstill import Standstill


class OwnedShards:
    """What is ours now, and what we follow; topics stand on the broker with a prefix.

    Iterating, counting and finding is about what is ours.
    """

    def __init__(self, units: Sequence[Unit], prefix: str) -> None:
        self.units = list(units)
        self.standstill = Standstill()
        self._prefix = prefix
        self._topics = {prefix + topic: (unit, topic) for unit in units for topic in unit.topics}
        self._held: dict[tuple[int, int], OwnedShard] = {}
        self._followed: dict[tuple[int, int], OwnedShard] = {}

    def __iter__(self) -> Iterator[OwnedShard]:
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def add(self, owned: OwnedShard) -> None:
        """Own a shard from now on, or follow it."""
        self._among(owned)[self._place(owned)] = owned

    def drop(self, owned: OwnedShard) -> None:
        """Have it no longer and forget its state; harmless if it is gone already."""
        owned.closing = owned.closed = True
        if self._among(owned).get(self._place(owned)) is owned:
            del self._among(owned)[self._place(owned)]
            owned.unit.close(owned.partition)

    def of(self, unit: Unit) -> list[OwnedShard]:
        """Return the shards of one unit that are ours."""
        return [owned for owned in self._held.values() if owned.unit is unit]

    def all_of(self, unit: Unit) -> list[OwnedShard]:
        """Return the shards of one unit, ours and those we follow."""
        return [owned for owned in self.all if owned.unit is unit]

    @property
    def all(self) -> list[OwnedShard]:
        """Ours and those we follow."""
        return [*self, *self.followed]

    @property
    def followed(self) -> list[OwnedShard]:
        """Those of other workers."""
        return list(self._followed.values())

    def find(self, tp: TP) -> tuple[OwnedShard | None, str]:
        """Return the shard that folds this topic and partition, and the topic without prefix."""
        unit, topic = self._topics[tp.topic]
        return self._held.get((self.units.index(unit), tp.partition)), topic

    def tp(self, topic: str, partition: int) -> TP:
        """Return a topic's partition as the broker names it."""
        return TP(self._prefix + topic, partition)

    def tps(self, unit: Unit, partition: int) -> dict[TP, str]:
        """Return all that a shard folds: the broker's name, and the topic without prefix."""
        return {self.tp(topic, partition): topic for topic in unit.topics}

    def done(self, held: Sequence[OwnedShard]) -> dict[TP, int]:
        """Return up to where the records of these shards count, as the broker names them."""
        return {
            self.tp(topic, owned.partition): offset
            for owned in held
            for topic, offset in owned.done.items()
        }

    def partitions(self, unit: Unit, tps: set[TP]) -> list[int]:
        """Return the partitions of a unit that are assigned with all of its topics."""
        wanted = {tp.partition for tp in tps if self._topics.get(tp.topic, (None,))[0] is unit}
        return sorted(p for p in wanted if set(self.tps(unit, p)) <= tps)

    def _among(self, owned: OwnedShard) -> dict[tuple[int, int], OwnedShard]:
        return self._followed if owned.followed else self._held

    def _place(self, owned: OwnedShard) -> tuple[int, int]:
        return self.units.index(owned.unit), owned.partition
