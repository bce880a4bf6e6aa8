"""Whatever was fetched, sought and fetched again: a shard takes each record once, in order."""

from typing import Any, NamedTuple

import pytest
from faust.types import TP

from contracts.errors import StateRefused
from streams.kafka.ends import Bounds
from streams.kafka.thread import Fetched
from streams.shards import MAX_BATCH
from streams.worker.holding import Holding, Verdict
from streams.worker.holdings import Holdings
from streams.worker.opening import check_offset
from tests.counting import CountingUnit

TOPIC = "interactions"


class Row(NamedTuple):
    """A record, as far as offsets go."""

    offset: int
    timestamp: int = 0


async def nowhere(commands: list[bytes]) -> None: ...


@pytest.fixture
def unit() -> CountingUnit:
    return CountingUnit("t:", nowhere)


@pytest.fixture
def holding(unit: CountingUnit) -> Holding:
    held = Holding(unit, 0, unit.open(0), epoch=1)
    held.start({TOPIC: 10, "interactions-rekeyed": 0}, {})
    held.laps = {TOPIC: 1, "interactions-rekeyed": 1}
    return held


def fetched(first: int, n: int = 3, lap: int = 1) -> Fetched:
    return Fetched(TP(TOPIC, 0), [Row(first + i) for i in range(n)], lap)


def cuts(holding: Holding, records: list[Any]) -> list[tuple[int, int, bool]]:
    return [
        (batch.records[0].offset, batch.records[-1].offset + 1, batch.known_to_shared)
        for batch in holding.ready(TOPIC, records)
    ]


def test_what_comes_next_is_taken(holding: Holding) -> None:
    assert holding.judge(TOPIC, fetched(10)) is Verdict.TAKE


def test_what_was_fetched_before_a_seek_is_dropped(holding: Holding) -> None:
    assert holding.judge(TOPIC, fetched(10, lap=0)) is Verdict.DROP


def test_nothing_is_taken_once_the_shard_is_closing(holding: Holding) -> None:
    holding.closing = True
    assert holding.judge(TOPIC, fetched(10)) is Verdict.DROP


def test_a_hole_is_sought_back_once_and_then_believed(holding: Holding) -> None:
    assert holding.judge(TOPIC, fetched(12)) is Verdict.BACK
    assert holding.judge(TOPIC, fetched(12)) is Verdict.GAP
    holding.pass_over(TOPIC, 12)
    assert (holding.next[TOPIC], holding.done[TOPIC]) == (12, 12)
    assert holding.judge(TOPIC, fetched(12)) is Verdict.TAKE


def test_a_later_hole_is_doubted_again(holding: Holding) -> None:
    holding.judge(TOPIC, fetched(12))
    holding.pass_over(TOPIC, 20)
    assert holding.judge(TOPIC, fetched(25)) is Verdict.BACK


def test_a_hole_does_not_count_before_what_lies_before_it_is_done(holding: Holding) -> None:
    cuts(holding, fetched(10).records)
    holding.next[TOPIC] = 13
    holding.pass_over(TOPIC, 20)
    assert (holding.done[TOPIC], holding.next[TOPIC]) == (10, 20)


def test_what_lies_before_is_looked_into(holding: Holding) -> None:
    assert holding.judge(TOPIC, fetched(8)) is Verdict.BEFORE


def test_batches_are_bounded(holding: Holding) -> None:
    n = 2 * MAX_BATCH + 7
    assert cuts(holding, fetched(10, n).records) == [
        (10, 10 + MAX_BATCH, False),
        (10 + MAX_BATCH, 10 + 2 * MAX_BATCH, False),
        (10 + 2 * MAX_BATCH, 10 + n, False),
    ]


def test_a_batch_ends_where_the_shared_state_knows_no_more(holding: Holding) -> None:
    holding.start({TOPIC: 10, "interactions-rekeyed": 0}, {TOPIC: 14})
    assert cuts(holding, fetched(10, 10).records) == [(10, 14, True), (14, 20, False)]


def test_the_boundary_may_lie_in_a_hole_of_the_log(holding: Holding) -> None:
    holding.start({TOPIC: 10, "interactions-rekeyed": 0}, {TOPIC: 14})
    records = [Row(offset) for offset in (10, 12, 17)]
    assert cuts(holding, records) == [(10, 13, True), (17, 18, False)]


@pytest.mark.parametrize(
    ("offset", "says"), [(4, "deleted before they were learned"), (21, "lost its end")]
)
def test_an_offset_outside_the_log_is_refused(holding: Holding, offset: int, says: str) -> None:
    with pytest.raises(StateRefused, match=says):
        check_offset(holding, TOPIC, offset, Bounds(5, 20))
    check_offset(holding, TOPIC, 5, Bounds(5, 20))
    check_offset(holding, TOPIC, 20, Bounds(5, 20))


def test_a_partition_is_opened_only_with_all_topics_of_its_unit(unit: CountingUnit) -> None:
    holdings = Holdings([unit], "p.")
    tps = {TP("p.interactions", 0), TP("p.interactions-rekeyed", 0), TP("p.interactions", 1)}
    assert holdings.partitions(unit, tps) == [0]
