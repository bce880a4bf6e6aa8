"""The predictors' shard: asked, judged and taught message by message, and no message stops it."""

import asyncio
import base64
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from contracts import metrics
from contracts.control import alias
from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, PREDICTIONS
from learners.predictor import Predictor
from streams.predictions.shard import PredictorsShard
from streams.predictions.unit import PredictorsUnit
from streams.shards import Effects, Void
from streams.telemetry.metrics import Telemetry
from tests.predictor_rows import PRICES, Line, batch, line

ELEC = Settings(predictors={"elec": "learners.examples:elec"})
T0 = 1_000_000_000.0


class World:
    """A shard with what it told and published."""

    def __init__(self, settings: Settings = ELEC) -> None:
        self.telemetry = Telemetry(CollectorRegistry())
        self.commands: list[bytes] = []
        unit = PredictorsUnit(settings, self.telemetry, self._send)
        self.shard: PredictorsShard = unit.open(0)

    async def _send(self, commands: list[bytes]) -> None:
        self.commands.extend(commands)

    def handle(self, topic: str, *lines: Line) -> list[dict[str, Any]]:
        """Handle a batch, publish, and return the messages' values."""
        effects: Effects = self.shard.handle(batch(topic, *lines))
        if effects.publish is not None:
            asyncio.run(effects.publish())  # type: ignore[arg-type]
        return [msgspec.json.decode(message.value or b"") for message in effects.messages]

    def ask(self, n: int, x: dict[str, Any], predictor: str = "elec") -> dict[str, Any]:
        """Ask with features of id `n`."""
        return self.handle("features", features(n, x, predictor))[0]

    def tell(self, n: int, y: Any) -> list[dict[str, Any]]:
        """Give the label of id `n`."""
        return self.handle("labels", label(n, y))


def features(n: int, x: dict[str, Any], predictor: str = "elec") -> Line:
    return line(n, int(T0 * 1000) + n, predictor=predictor, id=n, x=x, ts=T0)


def label(n: int, y: Any, predictor: str = "elec") -> Line:
    return line(n, int(T0 * 1000) + n, predictor=predictor, id=n, y=y, ts=T0)


def test_features_are_answered_at_once_with_version_and_probability() -> None:
    answer = World().ask(3, {"price": 1.0})
    expected = {"predictor": "elec", "id": "3", "answer": False, "probability": 0.5}
    assert {**expected, "version": 0, "ts": T0} == answer


def test_predictions_go_to_their_topic_keyed_by_id() -> None:
    (message,) = World().shard.handle(batch("features", features(3, {"a": 1.0}))).messages
    assert (message.topic, message.key) == (PREDICTIONS.name, b"3")


def test_answer_and_waiting_features_stand_in_redis_until_the_label_comes() -> None:
    world = World()
    world.ask(3, {"price": 1.0})
    answer, pending = world.commands
    assert b"SET\r\n$14\r\nhw:pred:elec:3\r\n" in answer
    assert b'"because":"StandardScaler | LogisticRegression after 0 labels"' in answer
    assert b"hw:pending:elec:3" in pending
    assert b'"x":{"price":1.0}' in pending
    assert all(b"EX\r\n$6\r\n604800" in command for command in world.commands)
    world.tell(3, 1)
    assert b"DEL\r\n$17\r\nhw:pending:elec:3" in world.commands[2]


def test_a_label_that_comes_late_judges_the_answer_that_was_given() -> None:
    world, predictor = World(), Predictor("elec", "learners.examples:elec")
    given = [predictor.answer(x) for x, _ in PRICES]
    for n, (x, _) in enumerate(PRICES):
        world.ask(n, x)
    for n, (x, y) in enumerate(PRICES):
        predictor.learn(x, y, given[n])
        world.tell(n, y)
    assert predictor.score.figures() == world.shard.predictors["elec"].score.figures()


def test_cutting_into_batches_changes_nothing() -> None:
    one, other = World(), World()
    asked = [features(n, x) for n, (x, _) in enumerate(PRICES)]
    told = [label(n, y) for n, (_, y) in enumerate(PRICES)]
    for lines, topic in ((asked, "features"), (told, "labels")):
        one.handle(topic, *lines)
        for at in range(0, len(lines), 7):
            other.handle(topic, *lines[at : at + 7])
    assert one.shard.predictors["elec"].dump() == other.shard.predictors["elec"].dump()


def test_a_restored_shard_lives_the_same_life() -> None:
    one, other = World(), World()
    for n, (x, y) in enumerate(PRICES[:100]):
        one.ask(n, x)
        if n % 3:
            one.tell(n, y)
    other.shard.load(one.shard.dump())
    for n, (x, y) in enumerate(PRICES[100:], 100):
        assert one.ask(n, x) == other.ask(n, x)
        assert one.tell(n - 100, y) == other.tell(n - 100, y)


def test_a_predictor_named_anew_begins_beside_the_saved_one() -> None:
    old = World()
    old.ask(1, {"a": 1.0})
    both = World(Settings(predictors={**ELEC.predictors, "more": "learners.examples:elec"}))
    both.shard.load(old.shard.dump())
    assert [len(pending) for pending in both.shard.pending.values()] == [1, 0]


def test_beyond_the_capacity_the_longest_waiting_are_let_go_and_counted() -> None:
    world = World(Settings(predictors=ELEC.predictors, pending_capacity=2))
    for n in range(5):
        world.ask(n, {"a": 1.0})
    assert world.telemetry.value(metrics.EVICTIONS, kind="pending") == 3
    assert [letter["reason"] for letter in world.tell(2, 1)] == ["no_features"]
    assert world.tell(3, 1) == []


def test_an_id_asked_again_is_judged_by_the_later_answer() -> None:
    world = World()
    world.ask(1, {"a": 1.0})
    world.ask(1, {"a": 2.0})
    assert world.tell(1, 1) == []
    assert [letter["reason"] for letter in world.tell(1, 1)] == ["no_features"]


BAD_FEATURES = {
    "null_value": None,
    "not_utf8": b"\xff",
    "not_json": b'{"x": NaN}',
    "not_object": b"[]",
    "missing_field": b'{"predictor":"elec","id":"1","ts":1e9}',
    "wrong_type": b'{"predictor":"elec","id":"1","ts":1e9,"x":{"a":null}}',
    "empty_id": b'{"predictor":"elec","id":"","ts":1e9,"x":{}}',
    "long_id": b'{"predictor":"elec","id":"%s","ts":1e9,"x":{}}' % (b"i" * 257),
    "ts_in_milliseconds": b'{"predictor":"elec","id":"1","ts":1e12,"x":{}}',
    "unknown_predictor": b'{"predictor":"nobody","id":"1","ts":1e9,"x":{}}',
    "predictor_failed": b'{"predictor":"elec","id":"1","ts":1e9,"x":{"a":"tea"}}',
    "too_large": b" " * 70_000,
}


@pytest.mark.parametrize("reason", BAD_FEATURES)
def test_features_that_cannot_be_used_become_a_dead_letter(reason: str) -> None:
    world, value = World(), BAD_FEATURES[reason]
    for n in range(2):  # a scaler takes anything for "a" until it has seen two values
        world.ask(n, {"a": float(n)})
        world.tell(n, 1)
    effects = world.shard.handle(batch("features", Line(7, int(T0 * 1000), value)))
    (letter,) = effects.messages
    assert letter.topic == DEAD_LETTERS.name
    body = msgspec.json.decode(letter.value or b"")
    assert (reason, "features", 7) == (body["reason"], body["topic"], body["offset"])
    assert (value or b"")[:65_536] == base64.b64decode(body["value_base64"])
    assert world.telemetry.value(metrics.DEAD_LETTERS, reason=reason) == 1


def test_an_estimator_that_fails_on_a_label_costs_that_label_only() -> None:
    world = World()
    world.ask(1, {"a": "tea"})
    (letter,) = world.tell(1, 1)
    assert letter["reason"] == "predictor_failed"
    world.ask(2, {"b": 1.0})
    assert world.tell(2, 1) == []


def test_a_label_of_nothing_is_a_dead_letter_with_its_id() -> None:
    (letter,) = World().tell(9, 1)
    assert (letter["reason"], letter["topic"]) == ("no_features", "labels")
    assert "'9'" in letter["detail"]


def test_the_shard_knows_labels_whose_features_wait() -> None:
    world = World()
    world.ask(1, {"a": 1.0})
    assert [
        world.shard.knows(record) for record in (label(1, 1), label(2, 1), Line(0, 0, b"not json"))
    ] == [True, False, False]


def test_answers_labels_and_accuracy_are_counted() -> None:
    world = World()
    for n in range(4):
        world.ask(n, {"a": 1.0})
        world.tell(n, 0)
    value = world.telemetry.value
    assert value(metrics.PREDICTIONS, predictor="elec") == 4
    assert value(metrics.EVENTS, topic="features", outcome="answered") == 4
    assert value(metrics.EVENTS, topic="labels", outcome="learned") == 4
    assert value(metrics.ACCURACY, predictor="elec", span="total") == 1


def test_features_of_who_is_forgotten_wait_no_more_and_are_not_answered_again() -> None:
    world = World()
    world.ask(3, {"price": 1.0})
    world.ask(4, {"price": 2.0})
    person = alias(ELEC.snapshot_key, "3")
    assert world.shard.called(person) == "3"
    forgotten = world.shard.forget("3")
    assert forgotten.counts == {"pending features": 1}
    assert forgotten.publish is not None
    asyncio.run(forgotten.publish())  # type: ignore[arg-type]
    assert [b"DEL" in command and b":elec:3" in command for command in world.commands[-2:]] == [
        True,
        True,
    ]
    again = World()
    void = {person: Void({"features": 4}, {})}
    lines = batch("features", features(3, {"a": 1.0}), features(4, {"a": 1.0}))
    answered = again.shard.handle(lines._replace(void=void)).messages
    assert [message.key for message in answered] == [b"4"]
    assert again.shard.called(person) == ""
