"""Whatever was fetched, sought and fetched again: a shard takes each record once, in order."""

from typing import Any, NamedTuple

import pytest
from faust.types import TP

from contracts.errors import StateRefused
from streams.kafka.log_ends import Bounds
from streams.kafka.thread import Fetched
from streams.shards import MAX_BATCH
from streams.worker.batch_size import BatchSize
from streams.worker.loader import check_offset
from streams.worker.owned_shard import OwnedShard, Verdict
from streams.worker.owned_shards import OwnedShards
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
def owned(unit: CountingUnit) -> OwnedShard:
    held = OwnedShard(unit, 0, unit.open(0), epoch=1)
    held.start({TOPIC: 10, "interactions-rekeyed": 0}, {})
    held.laps = {TOPIC: 1, "interactions-rekeyed": 1}
    return held


def fetched(first: int, n: int = 3, lap: int = 1) -> Fetched:
    return Fetched(TP(TOPIC, 0), [Row(first + i) for i in range(n)], lap)


def cuts(owned: OwnedShard, records: list[Any]) -> list[tuple[int, int, bool]]:
    return [
        (batch.records[0].offset, batch.records[-1].offset + 1, batch.known_to_shared)
        for batch in owned.ready(TOPIC, records)
    ]


def test_what_comes_next_is_taken(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(10)) is Verdict.TAKE


def test_what_was_fetched_before_a_seek_is_dropped(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(10, lap=0)) is Verdict.DROP


def test_nothing_is_taken_once_the_shard_is_closing(owned: OwnedShard) -> None:
    owned.closing = True
    assert owned.judge(TOPIC, fetched(10)) is Verdict.DROP


def test_a_hole_is_sought_back_once_and_then_believed(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(12)) is Verdict.BACK
    assert owned.judge(TOPIC, fetched(12)) is Verdict.GAP
    owned.pass_over(TOPIC, 12)
    assert (owned.next[TOPIC], owned.done[TOPIC]) == (12, 12)
    assert owned.judge(TOPIC, fetched(12)) is Verdict.TAKE


def test_a_hole_that_the_client_read_across_is_believed_at_once(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(12)._replace(asked=10)) is Verdict.GAP


def test_a_hole_behind_what_was_lost_is_sought_back(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(12)._replace(asked=11)) is Verdict.BACK


def test_a_later_hole_is_doubted_again(owned: OwnedShard) -> None:
    owned.judge(TOPIC, fetched(12))
    owned.pass_over(TOPIC, 20)
    assert owned.judge(TOPIC, fetched(25)) is Verdict.BACK


def test_a_hole_does_not_count_before_what_lies_before_it_is_done(owned: OwnedShard) -> None:
    cuts(owned, fetched(10).records)
    owned.next[TOPIC] = 13
    owned.pass_over(TOPIC, 20)
    assert (owned.done[TOPIC], owned.next[TOPIC]) == (10, 20)


def test_what_lies_before_is_looked_into(owned: OwnedShard) -> None:
    assert owned.judge(TOPIC, fetched(8)) is Verdict.BEFORE


def test_batches_are_bounded(owned: OwnedShard) -> None:
    size = owned.size.records
    n = 2 * size + 7
    assert cuts(owned, fetched(10, n).records) == [
        (10, 10 + size, False),
        (10 + size, 10 + 2 * size, False),
        (10 + 2 * size, 10 + n, False),
    ]


def test_a_slow_shard_gets_small_batches_and_a_fast_one_large_ones() -> None:
    slow, fast = BatchSize(), BatchSize()
    for _ in range(20):
        slow.took(slow.records, slow.records * 0.9e-3)
        fast.took(fast.records, fast.records * 1e-6)
    assert (slow.records, fast.records) == (16, MAX_BATCH)


def test_a_single_slow_event_does_not_stop_the_worker() -> None:
    size = BatchSize()
    size.took(1, 10.0)
    assert size.records == 1
    size.took(1, 0.001)
    assert size.records == 2


def test_a_batch_ends_where_the_shared_state_knows_no_more(owned: OwnedShard) -> None:
    owned.start({TOPIC: 10, "interactions-rekeyed": 0}, {TOPIC: 14})
    assert cuts(owned, fetched(10, 10).records) == [(10, 14, True), (14, 20, False)]


def test_the_boundary_may_lie_in_a_hole_of_the_log(owned: OwnedShard) -> None:
    owned.start({TOPIC: 10, "interactions-rekeyed": 0}, {TOPIC: 14})
    records = [Row(offset) for offset in (10, 12, 17)]
    assert cuts(owned, records) == [(10, 13, True), (17, 18, False)]


@pytest.mark.parametrize(
    ("offset", "says"), [(4, "deleted before they were learned"), (21, "lost its end")]
)
def test_an_offset_outside_the_log_is_refused(owned: OwnedShard, offset: int, says: str) -> None:
    with pytest.raises(StateRefused, match=says):
        check_offset(owned, TOPIC, offset, Bounds(5, 20))
    check_offset(owned, TOPIC, 5, Bounds(5, 20))
    check_offset(owned, TOPIC, 20, Bounds(5, 20))


def test_a_partition_is_opened_only_with_all_topics_of_its_unit(unit: CountingUnit) -> None:
    owned_shards = OwnedShards([unit], "p.")
    tps = {TP("p.interactions", 0), TP("p.interactions-rekeyed", 0), TP("p.interactions", 1)}
    assert owned_shards.partitions(unit, tps) == [0]
