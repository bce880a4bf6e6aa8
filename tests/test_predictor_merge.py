"""However the fetches of two topics interleave, the same sequence comes out, the log's."""

import json
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.shards import Batch, Record
from streams.worker.batch_size import BatchSize
from streams.worker.merge import Merge
from tests.predictor_rows import Line, batch, line

TOPICS = ("features", "labels")


class Written(NamedTuple):
    """One record in the order in which the broker took it."""

    topic: str
    line: Line


class Reader:
    """Knows whose features it has seen, as a shard does."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.waiting: set[str] = set()
        self.merge = Merge(TOPICS, self.knows, dict.fromkeys(TOPICS, 0))

    def knows(self, record: Record) -> bool:
        """Return whether its features came before."""
        return json.loads(record.value or b"")["id"] in self.waiting

    def handle(self, ready: Batch) -> None:
        """Note what comes."""
        for record in ready.records:
            id_ = json.loads(record.value or b"")["id"]
            self.seen.append(f"{ready.topic} {id_} {record.offset}")
            (self.waiting.add if ready.topic == "features" else self.waiting.discard)(id_)

    def take(self, topic: str, lines: list[Line], ends: dict[str, int]) -> None:
        """Take a fetch."""
        self.merge.take(batch(topic, *lines), ends)
        for ready in self.merge.ready(BatchSize()):
            self.handle(ready)


@st.composite
def logs(draw: st.DrawFn) -> list[Written]:
    """Any records of two topics; time stands still for a while, or goes on."""
    written, ms, ends = [], 1_000, dict.fromkeys(TOPICS, 0)
    step = st.tuples(st.sampled_from(TOPICS), st.integers(0, 5), st.booleans(), st.integers(0, 3))
    for topic, id_, later, ts in draw(st.lists(step, max_size=25)):
        ms += later
        written.append(Written(topic, line(ends[topic], ms, id=str(id_), ts=ts)))
        ends[topic] += 1
    return written


def of(log: list[Written], topic: str) -> list[Line]:
    return [entry.line for entry in log if entry.topic == topic]


def all_at_once(log: list[Written]) -> list[str]:
    reader, ends = Reader(), {topic: len(of(log, topic)) for topic in TOPICS}
    for topic in TOPICS:
        reader.take(topic, of(log, topic), ends)
    assert sum(reader.merge.held.values()) == 0
    return reader.seen


def fetched(log: list[Written], draw: st.DataObject) -> list[str]:
    """Fetch any pieces at any time; ends are asked for once the last record's time is over."""
    reader, now = Reader(), 0
    while left := [t for t in TOPICS if reader.merge.reached[t] < len(of(log, t))]:
        now = max(now, draw.draw(st.integers(0, len(log))))
        topic = draw.draw(st.sampled_from(left))
        there = of(log[:now], topic)[reader.merge.reached[topic] :]
        lines = there[: draw.draw(st.integers(1, 4))]
        if not lines:
            now = min(now + 1, len(log))
            continue
        while now < len(log) and log[now].line.timestamp <= lines[-1].timestamp:
            now += 1
        reader.take(topic, lines, {t: len(of(log[:now], t)) for t in TOPICS})
    assert sum(reader.merge.held.values()) == 0
    return reader.seen


@given(logs(), st.data())
def test_any_interleaving_of_fetches_gives_the_same_sequence(
    log: list[Written], data: st.DataObject
) -> None:
    assert all_at_once(log) == fetched(log, data)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=20), st.data())
def test_who_waits_for_each_acknowledgement_is_read_in_the_order_of_sending(
    steps: list[tuple[bool, bool, bool]], data: st.DataObject
) -> None:
    log, ms = list[Written](), 1_000
    for n, (later, later_label, _) in enumerate(steps):
        ms += later
        log.append(Written("features", line(n, ms, id=str(n), ts=n)))
        ms += later_label
        log.append(Written("labels", line(n, ms, id=str(n), ts=n)))
    sent = [f"{topic} {n} {n}" for n in range(len(steps)) for topic in TOPICS]
    assert sent == all_at_once(log) == fetched(log, data)


def test_features_wait_for_the_labels_that_came_before_them() -> None:
    reader = Reader()
    reader.take("features", [line(0, 5, id="a", ts=0), line(1, 9, id="b", ts=0)], ends(2, 1))
    assert (reader.seen, sum(reader.merge.held.values())) == ([], 2)
    reader.take("labels", [line(0, 7, id="a", ts=0)], ends(2, 1))
    assert reader.seen == ["features a 0", "labels a 0", "features b 1"]


def test_features_with_no_label_before_them_are_answered_at_once() -> None:
    reader = Reader()
    reader.take("features", [line(0, 5, id="a", ts=0)], ends(1, 0))
    assert reader.seen == ["features a 0"]


def test_two_who_fetch_at_the_same_time_do_not_overtake_each_other() -> None:
    reader = Reader()
    reader.merge.take(batch("features", line(0, 5, id="a", ts=0)), ends(1, 0))
    first = reader.merge.ready(BatchSize())
    asked = next(first)
    reader.take("labels", [line(0, 7, id="a", ts=0)], ends(1, 1))
    assert reader.seen == []
    reader.handle(asked)
    for told in first:
        reader.handle(told)
    assert reader.seen == ["features a 0", "labels a 0"]


def test_records_that_are_gone_from_the_log_are_not_waited_for() -> None:
    reader = Reader()
    reader.take("features", [line(0, 5, id="a", ts=0)], ends(1, 3))
    reader.merge.reach("labels", 3)
    assert [ready.topic for ready in reader.merge.ready(BatchSize())] == ["features"]


def test_a_record_that_cannot_be_decoded_keeps_its_place() -> None:
    reader = Merge(TOPICS, lambda _: False, dict.fromkeys(TOPICS, 0))
    reader.take(batch("features", Line(0, 5, None), Line(1, 6, b"\xff{")), ends(2, 0))
    assert [len(ready.records) for ready in reader.ready(BatchSize())] == [2]


def ends(features: int, labels: int) -> dict[str, int]:
    return {"features": features, "labels": labels}
