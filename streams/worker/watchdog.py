"""Looks once a second at everything that may stand still: lag, tasks, Kafka, Redis, ourselves.

A worker never lives on in silence: lag without progress, or a task that ended, ends it with a
named exit code. While a wait is declared (see `streams.worker.waits`) the watchdog says nothing.
"""

import asyncio
import logging
import time

from aiokafka.errors import KafkaError
from faust.types import TP

from contracts.errors import TopicsDiffer, WorkerStalled
from contracts.metrics import LAG, SNAPSHOT_AGE
from streams.kafka.log_ends import LogEnds
from streams.kafka.thread import Where
from streams.shards import Telemetry
from streams.telemetry.http import Health
from streams.worker.loader import check_offset
from streams.worker.manager import ShardManager
from streams.worker.owned_shard import OwnedShard
from streams.worker.waits import Waits

log = logging.getLogger(__name__)
EVERY_S = 1.0
SILENT_MS = 3_000  # Kafka answers an idle fetch every 0.1 s
PROBE_S = 3.0
BEAT_S = 15.0
COUNT_EVERY_S = 10.0


class Watchdog:
    """Watches one shard manager until cancelled."""

    def __init__(
        self,
        manager: ShardManager,
        waits: Waits,
        ends: LogEnds,
        telemetry: Telemetry,
        health: Health,
        patience_s: float,
    ) -> None:
        self._manager = manager
        self._waits = waits
        self._ends = ends
        self._telemetry = telemetry
        self._health = health
        self._patience_s = patience_s
        self._stood_s = 0.0
        self._looked_at = time.monotonic()
        self._seen = -1
        self._count_at = self._looked_at + COUNT_EVERY_S
        self._differed = False
        self._missing: dict[TP, int] = {}
        self._shown: set[TP] = set()

    async def run(self) -> None:
        """Look, sleep, for ever."""
        self._health.beat_every_s = BEAT_S
        while True:
            self._health.beat()
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Look once.

        Raises:
            StateRefused: events were deleted before they were learned.
            TopicsDiffer: a topic is gone, or has other partitions than before.
        """
        manager, link = self._manager, self._manager.link
        if not link.begun:
            return
        dead = link.dead()
        if dead is not None:
            manager.fail(WorkerStalled(f"the Kafka client's {dead} ended; see the log, restart"))
            return
        where = await link.positions()
        await self._kafka(where)
        lag = self._lag(where)
        self._stalled(lag)
        await self._found_nothing(where)
        await self._counts()
        self._ages()

    async def _kafka(self, where: dict[TP, Where]) -> None:
        """Declare a wait if the broker has not answered lately and does not when asked."""
        answers = [w.answered_ms for w in where.values() if w.answered_ms]
        if not answers or time.time() * 1000 - max(answers) < SILENT_MS:
            if answers:
                self._waits.over("kafka")
            return
        try:
            async with asyncio.timeout(PROBE_S):
                await self._ends.ends(list(where))
        except (KafkaError, TimeoutError) as error:
            self._waits.declare("kafka", f"no broker answers ({error!r})")
        else:
            self._waits.over("kafka")

    def _lag(self, where: dict[TP, Where]) -> dict[TP, int]:
        lag = {}
        for tp, at in where.items():
            owned, topic = self._manager.owned_shards.find(tp)
            if owned is None:
                lag[tp] = 1  # nobody knows, but it is ours and nothing reads it
            elif at.end is not None:
                lag[tp] = max(0, at.end - owned.done[topic])
                self._telemetry.set(LAG, lag[tp], topic=topic, partition=tp.partition)
        held = {tp for tp in lag if self._manager.owned_shards.find(tp)[0] is not None}
        for tp in self._shown - held:
            topic = self._manager.owned_shards.find(tp)[1]
            self._telemetry.forget(LAG, topic=topic, partition=tp.partition)
        self._shown = held
        return lag

    def _stalled(self, lag: dict[TP, int]) -> None:
        """Fail when patience is at its end; a wait stops its clock, only progress sets it back."""
        manager, now = self._manager, time.monotonic()
        seen, since, self._looked_at = manager.moved, now - self._looked_at, now
        if seen != self._seen or not any(lag.values()):
            self._seen, self._stood_s = seen, 0.0
        elif not self._waits:
            self._stood_s += min(since, BEAT_S)  # a process that was stopped stood still itself
        if self._stood_s > self._patience_s:
            total = sum(lag.values())
            manager.fail(
                WorkerStalled(
                    f"{total} events wait and none was processed for {self._patience_s:g} s "
                    "although Kafka and Redis answer; restart the worker and read its log"
                )
            )

    async def _found_nothing(self, where: dict[TP, Where]) -> None:
        """Mend what no later batch would show: Kafka's client is further than the shard.

        Either records were lost on the way here, or the log has a hole at its end (transaction
        markers, compaction). The first is cured by going back; if nothing comes then, it is the
        second.
        """
        for tp, at in where.items():
            owned, topic = self._manager.owned_shards.find(tp)
            if owned is None or at.position is None or owned.closing or owned.waits(topic):
                continue  # what waits was dropped, and is sought back when it need not wait
            if at.position <= owned.taken[topic] or not self._manager.processor.idle:
                self._missing.pop(tp, None)
            elif self._missing.get(tp) == owned.taken[topic]:
                await self._mend(owned, tp, at.position)
            else:
                self._missing[tp] = owned.taken[topic]

    async def _mend(self, owned: OwnedShard, tp: TP, position: int) -> None:
        topic = self._manager.owned_shards.find(tp)[1]
        taken = owned.taken[topic]
        if not owned.suspect(topic):
            await self._manager.processor.seek(owned, topic)
            return
        try:
            async with asyncio.timeout(PROBE_S):
                bounds = (await self._ends.bounds([tp]))[tp]
        except (KafkaError, TimeoutError):
            return  # the next look asks again
        if owned.closing or owned.taken[topic] != taken:
            return
        check_offset(owned, topic, taken, bounds)
        log.warning(
            "offsets %d to %d of '%s', partition %d, hold no event that can be read (of "
            "transactions, or compacted); passed over",
            taken, position - 1, tp.topic, tp.partition,
        )  # fmt: skip
        owned.pass_over(topic, position)

    async def _counts(self) -> None:
        """Compare partition counts now and then; what differs is asked for twice."""
        now = time.monotonic()
        if self._waits or now < self._count_at:
            return
        try:
            async with asyncio.timeout(PROBE_S):
                await self._manager.ownership.check_counts()
        except (KafkaError, TimeoutError):
            return  # the next look asks again
        except TopicsDiffer:
            if self._differed:
                raise
            self._differed = True  # a broker that has just started may not know all yet
        else:
            self._differed, self._count_at = False, now + COUNT_EVERY_S

    def _ages(self) -> None:
        now = time.monotonic()
        for owned in self._manager.owned_shards:
            age = now - owned.saved_at if owned.next != owned.saved else 0.0
            self._telemetry.set(SNAPSHOT_AGE, age, shard=owned.name)
