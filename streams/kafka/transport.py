"""Faust's Kafka consumer, handing over batches.

Faust hands over one event at a time and spends 100 µs on each. Here one fetch brings one Faust
message per topic, whose value is what came of each partition, so that cost is paid once per fetch.
Where to start and how far to commit is told by the handler, not by what Faust saw acknowledged:
an offset counts when its effects are done.

A seek happens in the consumer's own thread and begins a new *lap* of the partition. Records
carry the lap they were fetched in, so what was under way during a seek is known to be stale.
(Faust seeks from the main thread, and aiokafka's `fetched_records` then raises `KeyError`.)
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.kafka.link import ConsumerLink
from streams.kafka.thread import Fetched, FetchThread, PausedAtFirst


class BatchHandler(Protocol):
    """What the transport asks and tells; all of it on the event loop of the app."""

    link: ConsumerLink

    async def room(self) -> None:
        """Return when more records may be handed over."""

    def took(self, messages: int) -> None:
        """So many messages are on their way to the agents."""

    async def revoke(self) -> None:
        """Everything is taken away: finish, save, commit, drop."""

    def assign(self, tps: set[TP]) -> None:
        """These are ours now: load, seek and resume them."""

    def counted(self, tp: TP) -> int | None:
        """Return up to where the effects of a partition's records are done."""

    def fail(self, error: BaseException) -> None:
        """Something died; end the worker."""


class Consumer(driver.Consumer):
    """Faust's consumer with a batch as the unit of work."""

    RebalanceListener = PausedAtFirst
    logger = logging.getLogger("faust.consumer")
    handler: BatchHandler
    _thread: FetchThread

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(
        self, active_partitions: set[TP] | None, timeout: float
    ) -> Mapping[TP, list[Sequence[Fetched]]]:
        await self.handler.room()
        fetched = await self._thread.fetch(active_partitions or set(), timeout)
        topics = [list(of_one) for _, of_one in groupby(sorted(fetched, key=_topic), _topic)]
        self.handler.took(len(topics))
        return {of_one[0].tp: [of_one] for of_one in topics}

    def _to_message(self, tp: TP, fetched: Sequence[Fetched]) -> Any:
        last = fetched[0].records[-1]
        return driver.ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            fetched,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Let the handler load what is assigned and seek to where its snapshots stand."""
        self.handler.assign(self.assignment())

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the handler finish and save before Faust clears its queues."""
        await self.handler.revoke()
        await super().on_partitions_revoked(revoked)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        # Not only those with acknowledged messages: what was replayed up to its end in a
        # snapshot, and never committed, is to be committed too.
        return (tp for tp in self.assignment() if topics is None or {tp, tp.topic} & set(topics))

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.handler.counted(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps are between batches, always; the handler knows which of them are real."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return await self._thread.commit_quietly(offsets)

    async def verify_all_partitions_active(self) -> None:
        """Leave it to our own watchdog."""

    async def _drain_messages(self, fetcher: Any) -> None:
        # Faust's own loop drops what lies before its read offset and so would lose what a seek
        # back brings again; the handler checks every batch instead. It also makes two tasks per
        # message, to give up waiting in a rebalance; what waits here is dropped by its lap.
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(timeout=1.0):
                    await self.callback(message)
        except asyncio.CancelledError:
            if self.app.should_stop:
                return  # in a rebalance Faust would take it for a crash, and end with exit code 1
            raise
        except BaseException as error:
            if not self.app.should_stop:
                self.handler.fail(error)
            raise

    @property
    def thread(self) -> FetchThread:
        """The thread that owns the aiokafka consumer."""
        return self._thread


def _topic(fetched: Fetched) -> str:
    return str(fetched.tp.topic)


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer, which asks this handler."""

    def __init__(self, url: Any, app: Any, handler: BatchHandler) -> None:
        super().__init__(url, app)
        self._handler = handler

    def create_consumer(self, callback: Any, **kwargs: Any) -> Consumer:
        """Create the app's only consumer."""
        consumer = Consumer(self, callback=callback, loop=self.loop, **kwargs)
        consumer.handler, self._handler.link.consumer = self._handler, consumer
        return consumer


class BatchSchema(faust.Schema):
    """The value of an event is the batch as it came; nothing is decoded by Faust."""

    def compile(self, app: Any, **_: Any) -> Any:
        """Return what turns a message into an event."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - Faust calls it so
            return app.create_event(None, message.value, None, message)

        return decode
