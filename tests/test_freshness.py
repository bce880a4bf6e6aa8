"""What keeps lists fresh beside a busy worker: fewer and larger steps, and nobody in the way."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher

from contracts.settings import Settings
from state.connection import Pipe
from streams.interactions.unit import Interactions
from streams.kafka import pace
from streams.kafka.pace import Paced
from streams.shards import Effects, NoTelemetry, Publish, send_nowhere
from streams.worker.outbox import Entry, Outbox
from streams.worker.unhurried import unhurried
from tests.streams_kit import batch, event, record

SLOW_S = 0.01


class SlowPipe(Pipe):
    """A pipe to nowhere that notes what went out together."""

    def __init__(self) -> None:
        super().__init__(SimpleNamespace(connection_pool=None))  # type: ignore[arg-type]
        self.sent: list[list[bytes]] = []
        self.refuses = False

    async def _send(self, commands: list[bytes]) -> None:
        self.sent.append(commands)
        await asyncio.sleep(SLOW_S)
        if self.refuses:
            raise ConnectionResetError


def test_what_is_asked_for_while_redis_works_goes_out_together_and_in_order() -> None:
    async def go(pipe: SlowPipe) -> None:
        first = asyncio.ensure_future(pipe.send([b"1"]))
        await asyncio.sleep(SLOW_S / 2)
        await asyncio.gather(first, *(pipe.send([n]) for n in (b"2", b"3", b"4")))

    pipe = SlowPipe()
    asyncio.run(go(pipe))
    assert pipe.sent == [[b"1"], [b"2", b"3", b"4"]]


def test_who_went_along_hears_of_the_failure_too_and_the_next_begins_anew() -> None:
    async def go(pipe: SlowPipe) -> None:
        told = await asyncio.gather(pipe.send([b"1"]), pipe.send([b"2"]), return_exceptions=True)
        assert [type(error) for error in told] == [ConnectionResetError] * 2
        pipe.refuses = False
        await pipe.send([b"3"])

    pipe = SlowPipe()
    pipe.refuses = True
    asyncio.run(go(pipe))
    assert pipe.sent == [[b"1", b"2"], [b"3"]]


class Owned:
    """A shard as the outbox sees it."""

    def __init__(self) -> None:
        self.closed, self.looked_at = False, float("inf")
        self.done: dict[str, int] = {}


class Shop:
    """An outbox and what was published through it."""

    def __init__(self) -> None:
        self.outbox = Outbox(None, None, NoTelemetry(), (ConnectionError,))  # type: ignore[arg-type]
        self.published: list[int] = []

    def put(self, owned: Owned, offset: int) -> None:
        """Let a batch of one record wait."""
        effects = Effects((), self._publish(offset))
        self.outbox.put(Entry(owned, batch([record(event(), offset)]), effects))  # type: ignore[arg-type]

    def _publish(self, offset: int) -> Publish:
        async def publish() -> None:
            await asyncio.sleep(0)
            self.published.append(offset)

        return publish

    async def deliver(self) -> None:
        """Deliver what waits."""
        running = asyncio.ensure_future(self.outbox.run())
        assert await self.outbox.empty(1.0)
        running.cancel()


def test_batches_that_wait_go_out_together_and_count_in_order() -> None:
    shop, owned = Shop(), Owned()
    for offset in range(4):
        shop.put(owned, offset)
    asyncio.run(shop.deliver())
    assert (shop.published, owned.done) == ([0, 1, 2, 3], {"interactions": 4})


def test_a_shard_that_is_gone_publishes_nothing_while_the_others_do() -> None:
    shop, ours, theirs = Shop(), Owned(), Owned()
    shop.put(ours, 0)
    shop.put(theirs, 5)
    theirs.closed = True
    asyncio.run(shop.deliver())
    assert (shop.published, ours.done, theirs.done) == ([0], {"interactions": 1}, {})


@pytest.mark.parametrize(
    ("came", "rest"),
    [(0, None), (3, 3 * pace.REST_S), (400, pace.REST_AT_MOST_S), (pace.MANY, None)],
)
def test_a_fetch_rests_the_longer_the_more_the_last_one_brought_up_to_many(
    monkeypatch: pytest.MonkeyPatch, came: int, rest: float | None
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def asked(*_: Any) -> bool:
        return True

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(Fetcher, "_proc_fetch_request", asked)
    fetcher = Paced.__new__(Paced)
    fetcher.came = came
    assert asyncio.run(fetcher._proc_fetch_request(None, 0, None))
    assert ([] if rest is None else [rest]) == slept


def test_what_is_published_beside_the_lists_rests_longer_than_it_takes() -> None:
    async def go() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await unhurried(lambda _: asyncio.sleep(SLOW_S))([])
        return loop.time() - begun

    assert asyncio.run(go()) >= 3 * SLOW_S


def test_a_copy_gives_the_parts_of_its_moment_whatever_is_learned_afterwards() -> None:
    settings = Settings(partitions=1, items_capacity=8, users_capacity=8)
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    shard = unit.open(0)

    def learn(numbers: range) -> None:
        events = [event(n, user=f"u{n % 11}", item=f"i{n % 13}") for n in numbers]
        shard.handle(batch([record(e, n) for n, e in zip(numbers, events, strict=True)]))

    learn(range(100))
    own, shared = shard.still(), unit.shared_still()
    before = shard.dump(), unit.shared_dump()
    learn(range(100, 200))
    assert before == (own(), shared())
    assert before[0] != shard.dump()
