"""Quality is counted as a hand would; a change of the hit rate is found once."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.quality import Quality, report
from learners.rows import MISS
from learners.step import UNJUDGED, Verdicts
from learners.watcher import HitWatcher

POSITIONS = st.integers(MISS, 19)
Row = tuple[int, int, int, bool, bool]
ROWS = st.lists(
    st.tuples(POSITIONS, st.integers(UNJUDGED, 19), POSITIONS, st.booleans(), st.booleans())
)
WHO: dict[str, Callable[[Row], bool]] = {
    "all": lambda _: True,
    "known": lambda row: row[3],
    "new_items": lambda row: row[4],
    "repeats": lambda row: not row[4],
}


def verdicts(rows: list[Row]) -> Verdicts:
    columns = list(zip(*rows, strict=True)) or [()] * 5
    stored, fresh, popular = (np.array(c, np.int32) for c in columns[:3])
    known, new = (np.array(c, np.bool_) for c in columns[3:])
    return Verdicts(stored, fresh, popular, known, new, np.zeros((len(known), 2), np.float32))


def by_hand(positions: list[int]) -> dict[str, float]:
    hits = [p for p in positions if p >= 0]
    n = len(positions)
    sums = {
        "hr_at_10": sum(p < 10 for p in hits),
        "hr_at_20": len(hits),
        "mrr_at_20": sum(1 / (p + 1) for p in hits),
        "ndcg_at_10": sum(1 / math.log2(p + 2) for p in hits if p < 10),
    }
    return {"n": n, **{name: value / n if n else 0.0 for name, value in sums.items()}}


@settings(max_examples=100)
@given(ROWS, st.integers(1, 5))
def test_the_report_is_what_a_hand_would_count(rows: list[Row], cut: int) -> None:
    quality = Quality()
    for start in range(0, len(rows), cut):
        quality.add(verdicts(rows[start : start + cut]))
    found = report(quality.total)
    for column, name in enumerate(("stored", "fresh", "popular")):
        for who, is_one in WHO.items():
            judged = [r[column] for r in rows if r[column] != UNJUDGED and is_one(r)]
            assert found[name][who] == pytest.approx(by_hand(judged))


def test_the_window_holds_the_last_events() -> None:
    quality = Quality(window=100)
    for position in (0, MISS):
        for _ in range(50):
            quality.add(verdicts([(position, position, position, True, True)] * 10))
    recent = report(quality.recent)["stored"]["all"]
    assert (recent["n"], recent["hr_at_10"]) == (100, 0.0)
    assert report(quality.total)["stored"]["all"]["hr_at_10"] == 0.5


def hits(rate: float, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < rate, 3, MISS).astype(np.int32)


@pytest.mark.parametrize("cut", [1, 7, 2_000])
def test_a_change_is_found_once_and_at_the_same_event_for_every_cut(cut: int) -> None:
    stream = np.concatenate([hits(0.6, 5_000, 1), hits(0.2, 5_000, 2)])
    watcher, found = HitWatcher(), []
    for start in range(0, len(stream), cut):
        part = watcher.watch(stream[start : start + cut])
        found += [(start + d.event, round(d.before, 6), round(d.after, 6)) for d in part]
    assert len(found) == 1
    event, before, after = found[0]
    assert 5_000 < event < 5_500
    assert before > after
    whole = [(d.event, round(d.before, 6), round(d.after, 6)) for d in HitWatcher().watch(stream)]
    assert found == whole


def test_where_nothing_changes_nothing_is_found() -> None:
    assert HitWatcher().watch(hits(0.4, 30_000, 3)) == []


def test_what_was_not_judged_does_not_count_as_a_miss() -> None:
    stream = hits(0.8, 4_000, 4)
    gaps = np.full(4_000, UNJUDGED, np.int32)
    assert HitWatcher().watch(np.stack([stream, gaps], 1).ravel()) == []


def test_a_restored_watcher_finds_the_same_change() -> None:
    stream = np.concatenate([hits(0.6, 3_000, 1), hits(0.2, 3_000, 2)])
    watcher = HitWatcher()
    watcher.watch(stream[:3_100])
    twin = HitWatcher()
    twin.load(watcher.dump())
    assert twin.watch(stream[3_100:]) == watcher.watch(stream[3_100:])
    assert twin.dump() == watcher.dump()
