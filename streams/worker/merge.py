"""Merge the records of two topics into the order in which they came to the log.

A label must be learned before later features are answered, but a worker's fetches bring the two
topics in any interleaving. So a record is held until everything that the other topic had when it
was fetched is in hand too: one question to the broker for both log ends, after the record's own
millisecond is over. What is then in hand is told apart by the broker's time; within the same
millisecond by the events' own time, and a label never precedes its features.

The order is thus a function of the log: every cut and interleaving of fetches gives the same
one, live and in a replay (as long as the broker's clock does not go back). Records that are held
count as not processed. Cost: one round trip, up to 1 ms more, and no timer.

    merge = Merge(("features", "labels"), shard.knows, {"features": 0, "labels": 0})
    await over(batch.records[-1].timestamp)
    merge.take(batch, ends={"features": 7, "labels": 6})
    for ready in merge.ready(size):
        shard.handle(ready)
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from streams.shards import Batch, Record
from streams.worker.batch_size import BatchSize

LONGEST_WAIT_MS = 5  # for another machine's clock; ours is not asked to agree with the broker's


@runtime_checkable
class Merging(Protocol):
    """A shard of exactly two topics, asked for and told, that wants them merged."""

    merged: bool

    def knows(self, record: Record) -> bool:
        """Return whether a record of the second topic refers to what was handled already."""


class _Stamp(msgspec.Struct, gc=False):
    ts: float = 0.0


class _Held(NamedTuple):
    ms: int
    ts: float
    gate: int  # offset that the other topic must have reached before this may go alone
    record: Record


class Merge:
    """What was fetched of two topics of one partition and is not yet in order.

    Args:
        topics: the one that asks, then the one that tells.
        knows: whether a record of the second refers to what was handled already.
        reached: by topic, the offset of the first record that will be taken.
    """

    def __init__(
        self, topics: Sequence[str], knows: Callable[[Record], bool], reached: Mapping[str, int]
    ) -> None:
        self._asks, self._tells = topics
        self._knows = knows
        self.reached = {topic: reached[topic] for topic in topics}
        self._held: dict[str, deque[_Held]] = {topic: deque() for topic in topics}
        self._partition = 0
        self._going = False
        self._stamp = msgspec.json.Decoder(_Stamp).decode

    @property
    def held(self) -> dict[str, int]:
        """How many records of each topic are in hand."""
        return {topic: len(held) for topic, held in self._held.items()}

    def take(self, batch: Batch, ends: Mapping[str, int]) -> None:
        """Take records; `ends` are both topics' log ends, asked for after these were fetched."""
        other = self._tells if batch.topic == self._asks else self._asks
        self._partition, gate = batch.partition, ends[other]
        self._held[batch.topic].extend(
            _Held(record.timestamp, self._time(record), gate, record) for record in batch.records
        )
        if batch.records:
            self.reach(batch.topic, batch.records[-1].offset + 1)

    def reach(self, topic: str, offset: int) -> None:
        """Know that there is nothing more to come before `offset`: taken, or gone from the log."""
        self.reached[topic] = max(offset, self.reached[topic])

    def ready(self, size: BatchSize) -> Iterator[Batch]:
        """Yield what is in order now, as batches of one topic and of this size, each in turn.

        Records that are taken meanwhile are yielded too; a second caller then gets nothing.
        """
        if self._going:
            return
        self._going = True
        try:
            yield from self._runs(size)
        finally:
            self._going = False

    def _runs(self, size: BatchSize) -> Iterator[Batch]:
        topic, run = "", list[Record]()
        while True:
            chosen = self._certain()
            if run and (chosen != topic or len(run) >= size.records):
                yield Batch(topic, self._partition, run)
                run = []
                continue  # what `knows` says depends on the run, and more may have come
            if chosen is None:
                chosen = self._asked_first()
            if not chosen:
                return
            topic = chosen
            run.append(self._held[topic].popleft().record)

    def _certain(self) -> str | None:
        """Return the topic that goes on, empty if none may; None where `knows` decides."""
        asks, tells = self._held[self._asks], self._held[self._tells]
        if asks and tells:
            if asks[0].ms == tells[0].ms:
                return None
            return self._asks if asks[0].ms < tells[0].ms else self._tells
        if asks:
            return self._asks if asks[0].gate <= self.reached[self._tells] else ""
        if tells:
            return self._tells if tells[0].gate <= self.reached[self._asks] else ""
        return ""

    def _asked_first(self) -> str:
        """Decide within one millisecond."""
        asks, tells = self._held[self._asks][0], self._held[self._tells][0]
        told = tells.ts <= asks.ts and self._knows(tells.record)
        return self._tells if told else self._asks

    def _time(self, record: Record) -> float:
        try:
            return self._stamp(record.value or b"").ts
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return 0.0


async def over(ms: int) -> None:
    """Return when a record's millisecond is over, so that no other can still come into it."""
    left = ms + 1 - time.time() * 1000
    if left > 0:
        await asyncio.sleep(min(left, LONGEST_WAIT_MS) / 1000)
