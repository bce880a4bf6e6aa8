"""A topic that is far ahead of the one it is merged with waits at the broker, not in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from contracts.settings import Settings
from streams.kafka.thread import Fetched
from streams.predictions.unit import PredictorsUnit
from streams.shards import NoTelemetry, send_nowhere
from streams.worker.outbox import Entry
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.poison import Poison
from streams.worker.processor import MOST_HELD, BatchProcessor
from tests.predictor_rows import Line, line

FETCH = 500
EACH = MOST_HELD + 20 * FETCH  # messages of a topic


class Broker:
    """Two topics of which the labels came after all features; fetches as a consumer does."""

    def __init__(self) -> None:
        self.tps = {topic: TP(topic, 0) for topic in ("features", "labels")}
        self.at = dict.fromkeys(self.tps, 0)
        self.laps = dict.fromkeys(self.tps, 0)
        self.paused: set[str] = set()

    def line(self, topic: str, n: int) -> Line:
        """Return a message."""
        body: dict[str, Any] = {"predictor": "elec", "id": str(n), "ts": 1e9}
        body |= {"x": {"a": 1.0}} if topic == "features" else {"y": True}
        return line(n, 10**12 + n + EACH * (topic == "labels"), **body)

    def fetch(self, topic: str) -> Fetched | None:
        """Return what comes next of a topic, None while nothing is to."""
        at = self.at[topic]
        if topic in self.paused or at == EACH:
            return None
        self.at[topic] = min(at + FETCH, EACH)
        lines = [self.line(topic, n) for n in range(at, self.at[topic])]
        return Fetched(self.tps[topic], lines, self.laps[topic], at)

    async def ends(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Return the log ends, as `LogEnds` does."""
        return dict.fromkeys(tps, EACH)

    async def pause(self, tps: set[TP]) -> None:
        """Pause, as `ConsumerLink` does."""
        self.paused |= {tp.topic for tp in tps}

    async def seek_to(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        """Seek and resume, as `ConsumerLink` does."""
        for tp, offset in offsets.items():
            self.at[tp.topic] = offset
            self.laps[tp.topic] += 1
            self.paused.discard(tp.topic)
        return {tp: self.laps[tp.topic] for tp in offsets}


async def answered(question: Callable[[], Awaitable[Any]]) -> Any:
    return await question()


async def at_once() -> None:
    pass


async def within(seconds: float) -> bool:  # noqa: ARG001 - as `Outbox` has it
    return True


def test_labels_that_are_far_ahead_wait_at_the_broker_and_all_are_learned() -> None:
    broker, done = Broker(), list[Entry]()
    settings = Settings(predictors={"elec": "learners.examples:elec"}, pending_capacity=EACH)
    unit = PredictorsUnit(settings, NoTelemetry(), send_nowhere)
    held: Any = OwnedShards([unit], "")
    owned = OwnedShard(unit, 0, unit.open(0), 1)
    owned.start({"features": 0, "labels": 0}, {})
    owned.laps = dict.fromkeys(broker.tps, 0)
    held.add(owned)
    outbox: Any = SimpleNamespace(room=at_once, empty=within, put=done.append)
    parts: Any = broker, broker, SimpleNamespace(until_answered=answered)
    processor = BatchProcessor(held, outbox, *parts)
    processor.poison = Poison(NoTelemetry(), lambda _: None)
    most = 0

    async def run() -> None:
        nonlocal most
        while fetched := [f for f in map(broker.fetch, broker.tps) if f is not None]:
            for each in reversed(fetched):  # the labels first
                await processor.handle([each], fail)
                assert owned.merge is not None
                most = max(most, sum(owned.merge.held.values()))

    asyncio.run(run())
    assert MOST_HELD < most <= MOST_HELD + FETCH
    assert unit.shards[0].predictors["elec"].version == EACH
    assert sum(len(entry.batch.records) for entry in done) == 2 * EACH


def fail(error: BaseException) -> None:
    raise AssertionError from error
