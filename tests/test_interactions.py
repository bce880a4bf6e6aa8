"""A partition from its log: the same for every cut, nothing but the learner, restored as it was."""

import json
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts import metrics
from contracts.metrics import Metric
from contracts.settings import Settings
from learners import quality
from learners.fusion import Fusion
from streams.interactions.messages import Origins
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import Batch, Message, NoTelemetry, Record
from tests.learners_kit import dangling
from tests.streams_kit import NOW, Answers, batch, event, publish, record, run, shard_of, users_of

BLENDED = "tests.streams_kit:BLEND"
WIDE = Settings(partitions=4, fresh_sample=0.3)
NARROW = Settings(
    partitions=4,
    fresh_sample=0.3,
    items_capacity=40,
    users_capacity=25,
    history_length=6,
    duplicates_window=30,
)
Log = list[tuple[bool, list[Record]]]


class Counting(NoTelemetry):
    """Telemetry that keeps the counters."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()

    def count(self, metric: Metric, n: float = 1, **labels: object) -> None:
        """Add to a counter."""
        self.counts[metric.name, *map(str, labels.values())] += int(n)


def log_of(n: int, seed: int = 3) -> Log:
    """Return runs of records of both topics: good, dead, retried, misplaced and re-keyed ones."""
    rng = np.random.default_rng(seed)
    mine, other = users_of(0, WIDE, 60), users_of(1, WIDE, 10)
    runs: Log = []
    for first in range(0, n, 250):
        rekeyed = (first // 250) % 3 == 2
        runs.append(
            (rekeyed, [_record(rng, k, rekeyed, mine, other) for k in range(first, first + 250)])
        )
    return runs


def _record(
    rng: np.random.Generator, n: int, rekeyed: bool, mine: list[str], other: list[str]
) -> Record:
    fate = rng.random()
    if fate > 0.95:
        return record((b"{", None, b"\xff", b'{"user":5}')[n % 4], n)
    event_id = n - rng.integers(1, 20) if fate > 0.85 else n
    user = other[n % 10] if fate > 0.8 and fate < 0.85 else mine[rng.integers(60)]
    origin = Origins(WIDE).header(n % 3 + 1, int(n - 30 * (fate < 0.1)), user)
    item = f'i"{int(120 * rng.random() ** 2)}'
    ts = NOW - 50_000 + 10 * n - (4_000 if fate < 0.02 else 0)
    headers = [("origin", origin)] if rekeyed else []
    return record(event(int(event_id), user=user, item=item, ts=ts), n, headers)


class Life:
    """What a log leaves behind."""

    def __init__(self, settings: Settings) -> None:
        self.answers, self.telemetry = Answers(), Counting()
        self.settings = settings
        self.messages: dict[str, list[Message]] = {}
        self.unit = self._unit()
        self.shard = self.unit.open(0)

    def _unit(self) -> Interactions:
        send = self.answers.send
        return Interactions(self.settings, self.telemetry, send, send)

    def take(self, log: Log, cut: int) -> "Life":
        """Handle a log in batches of `cut`."""
        for rekeyed, records in log:
            for start in range(0, len(records), cut):
                self.handle(batch(records[start : start + cut], rekeyed))
        return self

    def handle(self, some: Batch) -> None:
        """Handle one batch and do what has to happen outside."""
        effects = self.shard.handle(some)
        for message in effects.messages:
            self.messages.setdefault(message.topic, []).append(message)
        publish(effects)

    def move(self) -> None:
        """Go on elsewhere from what was saved."""
        shared, own = self.unit.shared_dump(), self.shard.dump()
        self.unit = self._unit()
        self.unit.shared_load(shared)
        self.shard = self.unit.open(0)
        self.shard.load(own)

    def state(self) -> dict[str, bytes]:
        """Return everything that was learned or is remembered."""
        own = {f"own {k}": v for k, v in self.shard.dump().items()}
        return {**own, **{k: v for k, v in self.unit.shared_dump().items() if k != "items.dirty"}}


def differing(a: dict[Any, Any], b: dict[Any, Any]) -> list[Any]:
    return [k for k in a.keys() | b.keys() if a.get(k) != b.get(k)]


LOG = log_of(3_000)
OUTCOMES = ("learned", "duplicate", "dead_letter", "rekeyed")


@pytest.mark.parametrize("settings", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("cut", [7, 2_000])
def test_answers_state_and_quality_are_the_same_for_every_cut(settings: Settings, cut: int) -> None:
    singly, cut_up = Life(settings).take(LOG, 1), Life(settings).take(LOG, cut)
    assert differing(singly.answers.values, cut_up.answers.values) == []
    assert differing(singly.state(), cut_up.state()) == []
    assert differing(singly.messages, cut_up.messages) == []
    assert quality.report(singly.shard.quality.total) == quality.report(cut_up.shard.quality.total)
    counted = {k: n for k, n in singly.telemetry.counts.items() if k[0] != metrics.LISTS.name}
    assert differing(counted, {k: cut_up.telemetry.counts[k] for k in counted}) == []
    for life in (singly, cut_up):
        run(life.unit.tick())
        assert dangling(life.unit.model) == []
    assert differing(singly.answers.values, cut_up.answers.values) == []
    if settings is NARROW:
        assert singly.unit.model.ids.evicted > 300
        assert singly.shard.users.ids.evicted > 300


@pytest.mark.parametrize("settings", [WIDE, NARROW], ids=["wide", "narrow"])
def test_what_came_in_is_learned_known_dead_or_sent_on(settings: Settings) -> None:
    life = Life(settings).take(LOG, 100)
    by_outcome: Counter[str] = Counter()
    for (name, *labels), n in life.telemetry.counts.items():
        if name == metrics.EVENTS.name:
            by_outcome[labels[1]] += n
    assert sum(by_outcome[o] for o in OUTCOMES) == sum(len(records) for _, records in LOG)
    assert all(by_outcome[o] > 20 for o in (*OUTCOMES, "late"))
    assert by_outcome["learned"] == life.shard.learned
    assert by_outcome["dead_letter"] == len(life.messages["dead-letters"])
    assert by_outcome["rekeyed"] == len(life.messages["interactions-rekeyed"])


@pytest.mark.parametrize("settings", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_partition_that_moves_lives_the_same_life(settings: Settings) -> None:
    stays, moves = Life(settings).take(LOG[:5], 50), Life(settings).take(LOG[:5], 50)
    moves.move()
    stays.take(LOG[5:], 50)
    moves.take(LOG[5:], 50)
    assert differing(stays.state(), moves.state()) == []
    assert differing(stays.answers.values, moves.answers.values) == []
    assert differing(stays.messages, moves.messages) == []


def test_a_copy_that_is_still_to_be_written_is_not_touched_by_another_dump() -> None:
    unit, shard, _ = shard_of(Settings(partitions=1))
    shard.handle(batch([record(event(n, item=f"i{n}"), n) for n in range(20)]))
    then = shard.dump(), unit.shared_dump()
    copies = shard.still(), unit.shared_still()
    shard.handle(batch([record(event(n, item=f"i{n % 3}"), n) for n in range(20, 40)]))
    assert (shard.dump(), unit.shared_dump()) != then
    assert tuple(made() for made in copies) == then


def test_what_the_items_know_already_teaches_the_users_only() -> None:
    life = Life(WIDE).take(LOG, 100)
    shared, judged = life.unit.shared_dump(), life.shard.quality.total.copy()
    life.unit.close(0)
    life.shard = life.unit.open(0)
    for rekeyed, records in LOG:
        life.handle(batch(records, rekeyed, known=True))
    assert differing(shared, life.unit.shared_dump()) == []
    assert judged.sum() > 0
    assert life.shard.quality.total.sum() == 0
    assert life.shard.learned == Life(WIDE).take(LOG, 100).shard.learned


def test_what_was_loaded_leaves_nothing_of_what_was_there() -> None:
    life, small = Life(WIDE).take(LOG, 100), Life(WIDE).take(LOG[:1], 100)
    life.unit.close(0)
    life.unit.shared_load(small.unit.shared_dump())
    assert differing(life.unit.shared_dump(), small.unit.shared_dump()) == ["items.dirty"]
    run(life.unit.tick())
    life.unit.shared_load({})
    assert len(life.unit.model.ids) == 0
    run(life.unit.tick())


def shown(answers: Answers, user: str) -> list[tuple[str, float]]:
    return [(e["item"], e["score"]) for e in answers.read(f"hw:rec:{user}")["items"]]


@pytest.mark.parametrize("repeats", ["learn", "always", "never"])
def test_the_service_adds_nothing_to_the_learner(repeats: Any) -> None:
    settings = Settings(partitions=1, repeats=repeats)
    _, shard, answers = shard_of(settings)
    bare = Fusion(repeats=repeats)
    rng = np.random.default_rng(9)
    for n in range(1_500):
        user, item = f"u{rng.integers(40)}", f"i{int(90 * rng.random() ** 2)}"
        ts = NOW - 90_000 + 60 * n
        publish(shard.handle(batch([record(event(n, user=user, item=item, ts=ts), n)])))
        bare.learn_one(user, item, x={"ts": ts})
        best = bare.candidates(user, x={"ts": ts})
        assert [name for name, _ in shown(answers, user)] == best
        scores = [bare.predict_one(user, name, x={"ts": ts}) for name in best]
        assert [score for _, score in shown(answers, user)] == pytest.approx(scores, abs=1e-4)
        value = answers.read(f"hw:rec:{user}")
        assert (value["version"], value["ts"]) == (n + 1, ts)


def test_a_head_that_learns_is_judged_fresh_by_every_event() -> None:
    life = Life(WIDE).take(LOG, 100)
    assert int(life.shard.quality.total[1, 0].sum()) == life.shard.learned


def one_batch(shard: InteractionsShard, *events: dict[str, Any]) -> None:
    publish(shard.handle(batch([record(e, n) for n, e in enumerate(events)])))


def test_a_list_says_why_and_is_as_long_as_the_settings_say() -> None:
    _, shard, answers = shard_of(
        Settings(
            partitions=1, list_length=3, key_prefix="shop:", repeats="always", pipeline=BLENDED
        )
    )
    chosen = [("ann", "tea"), ("ann", "jam"), ("bob", "tea"), ("bob", "oat"), ("eve", "pie")]
    chosen += [("new", "tea")]
    one_batch(shard, *(event(n, user=u, item=i) for n, (u, i) in enumerate(chosen)))
    value = answers.read("shop:rec:new")
    assert [(e["item"], e["because"]) for e in value["items"]] == [
        ("jam", "with tea that you chose"),
        ("oat", "with tea that you chose"),
        ("tea", "popular now"),
    ]
    assert set(value) == {"user", "items", "version", "ts"}


def test_similar_and_trending_items_are_published_when_they_changed() -> None:
    unit, shard, answers = shard_of(Settings(partitions=1))
    one_batch(shard, event(1, item="tea"), event(2, item="jam"), event(3, user="bob", item="pie"))
    run(unit.tick())
    assert [e["item"] for e in answers.read("hw:sim:tea")["items"]] == ["jam"]
    assert [e["item"] for e in answers.read("hw:top")["items"]] == ["tea", "jam", "pie"]
    before = answers.count
    run(unit.tick())
    assert answers.count == before
    one_batch(shard, event(4, item="oat", user="zoe"))
    run(unit.tick())
    assert [e["item"] for e in answers.read("hw:sim:oat")["items"]] == []


def test_the_same_events_are_judged_fresh_in_every_replay() -> None:
    blended = msgspec.structs.replace(WIDE, pipeline=BLENDED)
    lives = [Life(blended).take(LOG, cut) for cut in (100, 33)]
    judged = [int(life.shard.quality.total[1, 0].sum()) for life in lives]
    assert judged[0] == judged[1]
    assert 0.27 < judged[0] / lives[0].shard.learned < 0.33


def test_a_change_of_taste_becomes_a_message() -> None:
    life = Life(Settings(partitions=1))
    rng = np.random.default_rng(4)
    for n in range(6_000):
        item = f"i{n % 5}" if n < 3_000 else f"other {rng.integers(100_000)}"
        value = event(n, user=f"u{n % 40}", item=item, ts=NOW - 10_000 + n)
        life.handle(batch([record(value, n)]))
    (drift,) = life.messages["drifts"]
    body = json.loads(drift.value or b"")
    assert body["from"] > 0.8 > body["to"]
    assert 3_000 < body["ts"] - NOW + 10_000 < 3_500
    assert (drift.key, body["model"], body["level"]) == (b"lists", "lists", "drift")
