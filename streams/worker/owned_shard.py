"""A shard that this worker owns or follows, and how far it has come in each topic.

Three offsets per topic: `taken` is what was accepted of what was fetched, `next` is what the
state has folded, `done` is up to where the effects are also acknowledged. Only `done` may be
committed or saved. `control` is a topic among them: `next` is up to which order the state has
obeyed, though its messages come another way.

At the place of the next order a shard waits: it takes no more records until the order is carried
out. What it drops meanwhile is fetched again.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from contracts.topics import CONTROL
from streams.control.schedule import Order, Place
from streams.kafka.thread import Fetched
from streams.shards import NOBODY, Batch, Governed, Shard, Unit, Void
from streams.worker.batch_size import BatchSize
from streams.worker.merge import Merge, Merging

LOOK_S = 0.005


class Verdict(Enum):
    """What to do with records that were fetched."""

    TAKE = auto()
    DROP = auto()  # from before a seek, or not ours any longer
    BACK = auto()  # something is missing before them: seek back once
    GAP = auto()  # missing again after the seek: the log itself may have a hole
    BEFORE = auto()  # earlier than what was asked for: the log may not be the one we know


class OwnedShard:
    """One shard while it is ours.

    `closing` means that nothing more is handled, `closed` that its effects count no more. A shard
    that is `followed` is another worker's: here it has no effects and no epoch.
    """

    def __init__(
        self, unit: Unit, partition: int, shard: Shard, epoch: int, followed: bool = False
    ) -> None:
        self.followed = followed
        self.unit = unit
        self.partition = partition
        self.shard = shard
        self.epoch = epoch
        self.looked_at = 0.0  # when the epoch was last seen to be ours
        self.saved_at = 0.0
        self.closing = False
        self.closed = False
        self.taken: dict[str, int] = {}
        self.next: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.saved: dict[str, int] = {}
        self.laps: dict[str, int] = {}
        self.merge: Merge | None = None
        self.order: Order | None = None
        self.place: Place = {}  # where the next order holds, or from where on it may
        self.marked = -1  # the order whose place we have written to the log
        self.frozen: frozenset[str] = frozenset()
        self.void: Mapping[str, Void] = NOBODY
        self.void_in_shared: Mapping[str, Void] = NOBODY  # that the shared state knows as such
        self.floor = 0  # snapshots from before this position of `control` must not be kept
        self.hidden = frozenset[str]()  # items that were taken out of its answers in Redis
        self.held: set[str] = set()  # topics of which records were dropped while waiting
        self.size = BatchSize()
        self.held_back: set[str] = set()  # topics of which nothing is fetched for now
        self._shared_until: Mapping[str, int] = {}
        self._suspects: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Name of its snapshot."""
        return self.shard.name

    @property
    def models(self) -> tuple[str, ...]:
        """What of it can be frozen."""
        return self.unit.models if isinstance(self.unit, Governed) else ()

    def start(self, offsets: Mapping[str, int], shared: Mapping[str, int]) -> None:
        """Stand at these offsets; the shared state already knows what lies before `shared`."""
        offsets = {CONTROL.name: 0, **offsets}
        self.taken, self.next = dict(offsets), dict(offsets)
        self.done, self.saved = dict(offsets), dict(offsets)
        self._shared_until = dict(shared)
        self._begin_merging()

    @property
    def shared_position(self) -> int:
        """Up to which order of this shard the shared state had come when it was loaded."""
        return self._shared_until.get(CONTROL.name, 0)

    def _begin_merging(self) -> None:
        if isinstance(self.shard, Merging) and self.shard.merged:
            self.merge = Merge(self.unit.topics, self.shard.knows, self.next)

    def judge(self, topic: str, fetched: Fetched) -> Verdict:
        """Say what to do with records of one topic, by their lap and offsets."""
        first, expected = fetched.records[0].offset, self.taken[topic]
        if self.stale(topic, fetched) or self.refuses(topic):
            return Verdict.DROP
        if first == expected:
            return Verdict.TAKE
        if first < expected:
            return Verdict.BEFORE
        known = fetched.asked == expected or self.suspect(topic)
        return Verdict.GAP if known else Verdict.BACK

    def stale(self, topic: str, fetched: Fetched) -> bool:
        """Tell whether records are from before a seek, or not ours any longer."""
        return self.closing or fetched.lap != self.laps.get(topic)

    @property
    def stands(self) -> bool:
        """Whether it has come to the place of its next order."""
        return self.order is not None and all(self._reached(topic) for topic in self.unit.topics)

    def _reached(self, topic: str) -> bool:
        return self.next[topic] >= self.place.get(topic, 0)

    def waits(self, topic: str) -> bool:
        """Tell whether records of a topic must wait.

        Where topics are merged their order is the log's, so all of them come to the place at once.
        """
        if topic in self.held or self.stands:
            return True
        return self.order is not None and self.merge is None and self._reached(topic)

    def refuses(self, topic: str) -> bool:
        """Tell the same of records at hand, which are then dropped: note that they are missing."""
        if self.waits(topic):
            self.held.add(topic)
        return topic in self.held

    def carry_out(self, position: int) -> None:
        """Know that the state has obeyed an order whose effects are still under way."""
        self.next[CONTROL.name] = position + 1

    def obey(self, position: int) -> None:
        """Know that an order was carried out, its effects too."""
        self.next[CONTROL.name] = self.done[CONTROL.name] = position + 1
        self.order = None

    @property
    def free(self) -> list[str]:
        """Topics that were held and need not wait any longer."""
        if self.stands or not self.held:
            return []
        if self.merge is not None:
            return list(self.unit.topics)
        return [t for t in self.held if self.order is None or not self._reached(t)]

    def let_go(self, laps: Mapping[str, int]) -> None:
        """Take records of topics again, in new laps; they were sought back to `next`."""
        self.laps |= laps
        self.held -= set(laps)
        self.taken |= {topic: self.next[topic] for topic in laps}
        if self.merge is not None:
            self._begin_merging()

    async def effects_done(self, until: Mapping[str, int]) -> None:
        """Return when all effects up to these offsets are acknowledged, or it is ours no more."""
        while not self.closed and any(self.done[t] < offset for t, offset in until.items()):
            await asyncio.sleep(LOOK_S)

    def suspect(self, topic: str) -> bool:
        """Tell whether what is missing now was missing before, and remember it."""
        again = self._suspects.get(topic) == self.taken[topic]
        self._suspects[topic] = self.taken[topic]
        return again

    def pass_over(self, topic: str, offset: int) -> None:
        """Accept that the log has nothing between what was taken and `offset`."""
        if self.next[topic] == self.taken[topic]:
            if self.done[topic] == self.next[topic]:
                self.done[topic] = offset
            self.next[topic] = offset
        self.taken[topic] = offset
        if self.merge is not None:
            self.merge.reach(topic, offset)

    def accept(self, topic: str, records: Sequence[Any], ends: Mapping[str, int]) -> None:
        """Take records of a topic that is merged; `ready` gives back what is in order."""
        assert self.merge is not None  # noqa: S101 - asked only where it is
        self.merge.take(Batch(topic, self.partition, records), ends)
        self.taken[topic] = records[-1].offset + 1

    def ready(self, topic: str, records: Sequence[Any]) -> Iterator[Batch]:
        """Yield the batches to handle now."""
        if self.merge is not None:
            for batch in self.merge.ready(self.size):
                yield from self._cut(batch.topic, batch.records)
            return
        self.taken[topic] = records[-1].offset + 1
        yield from self._cut(topic, records)

    def _cut(self, topic: str, records: Sequence[Any]) -> Iterator[Batch]:
        """Cut records into batches, also where the shared state's knowledge or an order stands."""
        known, at = self._shared_until.get(topic, 0), 0
        while at < len(records):
            old = records[at].offset < known
            to = min(at + self.size.records, len(records))
            for bound in (known, self._bound(topic)):
                if records[at].offset < bound <= records[to - 1].offset:
                    to = next(i for i in range(at, to) if records[i].offset >= bound)
            void = self.void_in_shared if old else self.void
            yield Batch(topic, self.partition, records[at:to], old, void=void)
            at = to

    def _bound(self, topic: str) -> int:
        return self.place.get(topic, 0) if self.order is not None else 0
