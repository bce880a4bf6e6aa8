"""Keeps the shards of this worker.

What is assigned is opened, what comes is folded, what is taken away is finished, saved, dropped.
Nothing here awaits while a shard's state is half way: a batch is folded in one step, and its
effects wait in the outbox. Everything runs on the app's event loop.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from contracts.errors import HeadwaterError, WorkerStalled
from streams.ends import Ends
from streams.holding import Holding, Verdict
from streams.holdings import Holdings
from streams.merge import over
from streams.opening import Opening, check_offset
from streams.outbox import Entry, Outbox
from streams.saving import Saving
from streams.shards import Unit
from streams.transport import Consumer
from streams.transport_thread import Fetched
from streams.waits import SHORTEST_S, Backoff, Waits

log = logging.getLogger(__name__)

ENOUGH = 1_000  # records on their way to the shards; with more, nothing is fetched
FINISH_S = 3.0
SAVE_S = 20.0
REJOIN_S = 3.0


class Keeper:
    """Keeps shards; see `streams.transport.Keeper` for what Faust's consumer asks of it."""

    consumer: Consumer  # set by the transport that creates it

    def __init__(
        self,
        holdings: Holdings,
        opening: Opening,
        outbox: Outbox,
        ends: Ends,
        waits: Waits,
        away: tuple[type[Exception], ...],
    ) -> None:
        self.holdings = holdings
        self.outbox = outbox
        self.waits = waits
        self.ends = ends
        self.error: HeadwaterError | None = None
        self.ended: Callable[[], None] = lambda: None
        self.progress = 0  # rises with whatever moves
        self.saving: Saving
        self._opening = opening
        self._away = away
        self._absent: tuple[type[Exception], ...] = (*away, KafkaError)
        self._pending = 0
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._tasks: dict[str, asyncio.Task[None]] = {}

    # What the consumer asks.

    async def room(self) -> None:
        """Return when more records may be handed over."""
        await self._room.wait()

    def took(self, n: int) -> None:
        """So many records are on their way."""
        self._pending += n
        self._breathe()

    @property
    def begun(self) -> bool:
        """Whether there is a consumer and it has reached a broker."""
        return hasattr(self, "consumer") and self.consumer.thread.begun

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return self._pending == 0

    def counted(self, tp: TP) -> int | None:
        """Return up to where a partition's records count."""
        holding, topic = self.holdings.find(tp)
        return None if holding is None else holding.done[topic]

    def assign(self, tps: set[TP]) -> None:
        """Open the shards of what is assigned, and let them flow."""
        self._pending = 0
        self._breathe()
        self.waits.declare("state", "loading the state of the partitions")
        self._start("open", self._open_all(tps))

    async def revoke(self) -> None:
        """Finish what is in hand, save, commit, drop."""
        await self._end("open", "reopen")
        for holding in self.holdings:
            holding.closing = True
        if self.error is None:
            if await self.outbox.empty(FINISH_S):
                await self._save_all()
            await self._commit()
        for holding in self.holdings:
            self.holdings.drop(holding)
            self.outbox.discard(holding)

    async def stop(self) -> None:
        """Fold what was handed over, then give everything back."""
        self._stopping = True
        self._breathe()
        deadline = time.monotonic() + FINISH_S / 2
        while self._pending and self.error is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        await self.revoke()

    def fail(self, error: BaseException) -> None:
        """End the worker; the first error names the reason."""
        if self.error is None:
            if not isinstance(error, HeadwaterError):
                log.error("a task of the worker died", exc_info=error)
                error = WorkerStalled(f"a task of the worker died: {error!r}; see the log")
            self.error = error
            for holding in self.holdings:
                holding.closing = True
            self.ended()

    # What the agents bring.

    async def handle(self, fetched: Fetched) -> None:
        """Fold the records of one partition that one fetch brought."""
        try:
            await self._handle(fetched)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever it is, living on without these records is worse
            self.fail(error)
        finally:
            self._pending = max(0, self._pending - len(fetched.records))
            self._breathe()

    async def _handle(self, fetched: Fetched) -> None:
        holding, topic = self.holdings.find(fetched.tp)
        if holding is None or (records := await self._accepted(holding, topic, fetched)) is None:
            return
        if holding.merge is not None:
            await over(records[-1].timestamp)
            holding.accept(topic, records, await self._log_ends(holding))
        for batch in holding.ready(topic, records):
            await self.outbox.room()
            if holding.closing:
                return
            entry = Entry(holding, batch, holding.shard.handle(batch))
            holding.next[batch.topic] = entry.until
            self.outbox.put(entry)
            self.progress += 1
            await asyncio.sleep(0)

    async def _accepted(
        self, holding: Holding, topic: str, fetched: Fetched
    ) -> Sequence[Any] | None:
        """Return the records to fold, None if these are not the ones."""
        records, verdict = fetched.records, holding.judge(topic, fetched)
        if verdict is Verdict.DROP:
            return None
        if verdict is Verdict.BACK:
            await self.seek(holding, topic)
            return None
        if verdict is not Verdict.TAKE:
            bounds = await self._patiently(lambda: self.ends.bounds([fetched.tp]))
            check_offset(holding, topic, holding.taken[topic], bounds[fetched.tp])
            if verdict is Verdict.GAP:
                holding.pass_over(topic, records[0].offset)
            records = [r for r in records if r.offset >= holding.taken[topic]]
        return records or None

    async def seek(self, holding: Holding, topic: str) -> None:
        """Go back to where records of a topic are missing."""
        tp = self.holdings.tp(topic, holding.partition)
        log.info("%s, partition %d: back to %d", topic, tp.partition, holding.taken[topic])
        laps = await self.consumer.seek_to({tp: holding.taken[topic]})
        holding.laps[topic] = laps.get(tp, 0)

    async def _log_ends(self, holding: Holding) -> dict[str, int]:
        tps = self.holdings.tps(holding.unit, holding.partition)
        ends = await self._patiently(lambda: self.ends.ends(tps))
        return {topic: ends[tp] for tp, topic in tps.items()}

    # Opening.

    async def _open_all(self, tps: set[TP]) -> None:
        for unit in self.holdings.units:
            await self._open(unit, tps)
        self.waits.over("state")
        self.waits.over("start")

    async def _open(self, unit: Unit, tps: set[TP]) -> None:
        for holding in self.holdings.of(unit):
            self.holdings.drop(holding)
            self.outbox.discard(holding)
        partitions = self.holdings.partitions(unit, tps)
        await self._patiently(lambda: self._check_counts(unit))
        await self._patiently(lambda: self._opening.shared(unit))
        for partition in partitions:
            await self._open_one(unit, partition)

    async def _check_counts(self, unit: Unit) -> None:
        names = [self.holdings.tp(topic, 0).topic for topic in unit.topics]
        counts = await self.ends.counts(names)
        self._opening.check_counts({t: counts[n] for t, n in zip(unit.topics, names, strict=True)})

    async def _open_one(self, unit: Unit, partition: int) -> None:
        tps = self.holdings.tps(unit, partition)
        found = await self._patiently(lambda: self.ends.bounds(tps))
        bounds = {topic: found[tp] for tp, topic in tps.items()}
        holding = await self._patiently(lambda: self._opening.shard(unit, partition, bounds))
        holding.looked_at = holding.saved_at = time.monotonic()
        offsets = {tp: holding.taken[topic] for tp, topic in tps.items()}
        laps = await self.consumer.seek_to(offsets)
        holding.laps = {topic: laps.get(tp, 0) for tp, topic in tps.items()}
        self.progress += 1
        log.info("partition %d of %s goes on at %s", partition, unit.topics, holding.taken)

    # Ownership.

    async def look(self, holding: Holding) -> bool:
        """Look whether a shard is still ours."""
        return await self._look([holding])

    async def look_all(self) -> None:
        """Look whether all are still ours."""
        await self._look(list(self.holdings))

    async def _look(self, held: list[Holding]) -> bool:
        if not held:
            return True
        now = time.monotonic()
        epochs = await self._opening.epochs([holding.name for holding in held])
        for holding, epoch in zip(held, epochs, strict=True):
            if epoch == holding.epoch:
                holding.looked_at = now
            else:
                self.fenced(holding)
        return not any(holding.closed for holding in held)

    def fenced(self, holding: Holding) -> None:
        """Another worker has claimed this shard: drop it, and reload if it is ours all the same."""
        if not holding.closed:
            log.warning("'%s' was claimed by another worker; its state is dropped", holding.name)
            self.holdings.drop(holding)
            self.outbox.discard(holding)
            if not self._tasks:
                self.waits.declare("state", "a partition was claimed by another worker")
                self._start("reopen", self._reopen(self._done([holding])))

    async def _reopen(self, done: dict[TP, int]) -> None:
        """Reload all if the group still gives them to us: a commit tells, it needs membership."""
        while True:
            await asyncio.sleep(REJOIN_S)
            if await self.consumer.thread.commit_quietly(done):
                await self._open_all(self.consumer.assignment())
                return

    # Saving.

    async def save_all(self) -> None:
        """Save every unit; away errors are the caller's."""
        for unit in self.holdings.units:
            await self.saving.save(unit)

    async def _save_all(self) -> None:
        again_until = time.monotonic() + FINISH_S
        try:
            async with asyncio.timeout(SAVE_S):
                while True:
                    try:
                        return await self.save_all()
                    except self._away:
                        if time.monotonic() > again_until:
                            raise
                    await asyncio.sleep(SHORTEST_S)
        except self._absent as error:
            log.warning("not saved, so more will be replayed: %r", error)

    async def _commit(self) -> None:
        done = self._done(list(self.holdings))
        if done:
            await self.consumer.thread.commit_quietly(done)

    def _done(self, held: list[Holding]) -> dict[TP, int]:
        return {
            self.holdings.tp(topic, holding.partition): offset
            for holding in held
            for topic, offset in holding.done.items()
        }

    # Tasks and waits.

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask until Redis and Kafka answer."""
        backoff, missed = Backoff(), set()
        while True:
            try:
                answer = await ask()
            except self._absent as error:
                service = "kafka" if isinstance(error, KafkaError) else "redis"
                self.waits.declare(service, str(error) or type(error).__name__)
                missed.add(service)
                await backoff.sleep()
            else:
                for service in missed:
                    self.waits.over(service)
                return answer

    def _breathe(self) -> None:
        if self._pending < ENOUGH and not self._stopping:
            self._room.set()
        else:
            self._room.clear()

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        old = self._tasks.pop(name, None)
        if old is not None:
            old.cancel()
        task = self._tasks[name] = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda t: self._finished(name, t))

    def _finished(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _end(self, *names: str) -> None:
        for name in names:
            task = self._tasks.pop(name, None)
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
