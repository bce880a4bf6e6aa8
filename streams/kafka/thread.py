"""The thread that owns the aiokafka consumer: it fetches, seeks and commits there."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import aiokafka
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.kafka.admin import READ
from streams.kafka.lenient import leniency
from streams.kafka.pace import Paced

log = logging.getLogger(__name__)
T = TypeVar("T")

FETCH_RECORDS = 16_000  # one fetch brings 1 MB of each partition, 7,000 events
FETCH_WAIT_MS = 100  # a partition left out of one fetch waits so long for the next
COMMIT_TIMEOUT_S = 1.5
STOP_S = 1.5
FOR_EVER_MS = 7 * 86_400_000  # our own watchdog knows when a wait is a declared one


class Light(PartitionRecords):
    """Hands out records as they were parsed, without a copy of each: 0.35 µs an event."""

    def _consumer_record(self, tp: Any, record: Any) -> Any:  # noqa: ARG002
        return record


def lighten(fetcher: Any) -> None:
    """Let the fetcher rest and unpack our way; aiokafka has no settings for it."""
    fetcher.__class__ = Paced
    for result in fetcher._records.values():
        records = getattr(result, "_partition_records", None)
        if type(records) is PartitionRecords:
            records.__class__ = Light


class Fetched(NamedTuple):
    """What one fetch brought of one partition, and the lap it was fetched in.

    `asked` is the offset from which on the client read to get these; it is below the first
    record's where the log has a hole, such as the marker of a transaction.
    """

    tp: TP
    records: list[Any]
    lap: int
    asked: int | None = None


class Where(NamedTuple):
    """Where the client stands in a partition; None where it is not known.

    `position` is what it asks for next, `end` up to where it may read as last heard (transactions
    that are open lie behind), `answered_ms` when.
    """

    position: int | None
    end: int | None
    answered_ms: int | None


class FetchThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread; every method may be awaited on the app's loop."""

    logger = logging.getLogger("faust.consumer")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._laps: dict[TP, int] = defaultdict(int)
        self._asked: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        # By range, partition n of every topic goes to the same worker; Faust's round robin
        # would part the topics of one shard.
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=READ,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_poll_interval_ms=FOR_EVER_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
        )

    async def on_thread_stop(self) -> None:
        """Leave the group; without a broker that answers, just go."""
        # A task of its own: aiokafka's fetcher raises CancelledError where it closes while the
        # broker is away, which would end this thread and leave Faust waiting for it.
        leaving = asyncio.ensure_future(super().on_thread_stop())
        await asyncio.wait([leaving], timeout=STOP_S)
        if not leaving.done() or leaving.cancelled() or leaving.exception():
            log.warning("Kafka does not answer; left without taking leave of the group")
            leaving.cancel()

    async def here(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in this thread, beside whatever else runs there."""
        future = asyncio.run_coroutine_threadsafe(work, self.thread_loop)
        return await asyncio.wrap_future(future)

    async def fetch(self, tps: set[TP], timeout: float) -> list[Fetched]:
        """Return what has come, waiting for up to `timeout` seconds."""
        try:
            return await self.here(self._fetch(tps, timeout))
        except asyncio.CancelledError:
            # aiokafka cancels what waits for records when it closes: not us, who are to go on.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return []

    async def _fetch(self, tps: set[TP], timeout: float) -> list[Fetched]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # Faust's way in: getmany() knows no timeout per lap
        if not self.consumer.flow_active:
            return []
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        leniency.look()
        try:
            with fetcher._subscriptions.fetch_context():
                if not fetcher._records:
                    waiter = fetcher._create_fetch_waiter()
                    done, _ = await asyncio.wait([waiter], timeout=timeout)
                    if not done:
                        waiter.cancel()
                        return []
                    waiter.result()  # an authorization error, if there is one
                lighten(fetcher)
                drained = await fetcher.fetched_records(tps, timeout, FETCH_RECORDS)
        except UnicodeDecodeError as error:
            self._read_leniently(consumer, error)
            return []
        fetcher.came = sum(map(len, drained.values()))
        return [self._fetched(TP(*tp), records) for tp, records in drained.items()]

    def _read_leniently(
        self, consumer: aiokafka.AIOKafkaConsumer, error: UnicodeDecodeError
    ) -> None:
        """Fetch again what was drained and not handed over, with the parser that takes it all."""
        leniency.begin(error)
        for tp in consumer.assignment():
            if (asked := self._asked.get(TP(*tp))) is not None:
                consumer.seek(tp, asked)

    def _fetched(self, tp: TP, records: list[Any]) -> Fetched:
        asked, self._asked[tp] = self._asked.get(tp), records[-1].offset + 1
        return Fetched(tp, records, self._laps[tp], asked)

    async def seek_to(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        """Seek, resume, and return the new laps of those partitions that are still assigned."""
        return await self.here(self._seek_to(offsets))

    async def _seek_to(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        consumer, laps = self._ensure_consumer(), {}
        for tp, offset in offsets.items():
            try:
                consumer.seek(aiokafka.TopicPartition(*tp), offset)
                consumer.resume(aiokafka.TopicPartition(*tp))
            except IllegalStateError:
                continue
            self._laps[tp] += 1
            self._asked[tp] = offset
            laps[tp] = self._laps[tp]
        return laps

    async def pause(self, tps: Iterable[TP]) -> None:
        """Fetch no more of these until the next `seek_to`."""
        await self.here(self._pause(tps))

    async def _pause(self, tps: Iterable[TP]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        consumer.pause(*(aiokafka.TopicPartition(*tp) for tp in tps if tp in assigned))

    async def commit_quietly(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; they inform monitors only, so a broker that does not answer is no failure."""
        work = self.here(self._commit_quietly(offsets))
        try:
            return await asyncio.wait_for(work, COMMIT_TIMEOUT_S)
        except TimeoutError:
            return False

    async def _commit_quietly(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        owned = consumer.assignment()
        wanted = {aiokafka.TopicPartition(*tp): o for tp, o in offsets.items() if tp in owned}
        if not wanted:
            return False
        try:
            await consumer.commit(wanted)
        except (KafkaError, IllegalStateError) as error:
            log.info("offsets not committed, the next commit has them: %s", error)
            return False
        return True

    async def positions(self) -> dict[TP, Where]:
        """Return where the client stands in each assigned partition."""
        return await self.here(self._positions())

    async def _positions(self) -> dict[TP, Where]:
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription else None
        if assignment is None or not assignment.active:
            return {}
        return {TP(*tp): _where(assignment.state_value(tp)) for tp in assignment.tps}

    @property
    def begun(self) -> bool:
        """Whether the client has reached a broker."""
        return self._consumer is not None and self._consumer._fetcher is not None

    def dead(self) -> str | None:
        """Return which task of aiokafka has ended although it must not, if any has."""
        consumer = self._consumer
        if consumer is None or consumer._closed:
            return None
        tasks = {
            "fetcher": consumer._fetcher._fetch_task,
            "coordinator": consumer._coordinator._coordination_task,
        }
        return next((name for name, task in tasks.items() if task.done()), None)


def _where(state: Any) -> Where:
    position = state.position if state.has_valid_position else None
    return Where(position, state.highwater if state.lso is None else state.lso, state.timestamp)


class PausedAtFirst(driver.ConsumerRebalanceListener):
    """What is newly assigned stands still until its state is loaded and sought to."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Pause, then tell the app."""
        self._thread._consumer.pause(*assigned)
        await super().on_partitions_assigned(assigned)
