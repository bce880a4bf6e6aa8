"""`headwater dead-letters`: what could not be used is listed, shown, mended and put back."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition

from contracts import exits
from contracts.settings import Settings
from headwater import cli
from streams.dead_letters import MAX_DEAD_BYTES, dead_letter
from streams.decode import Dead
from streams.kafka import putback
from streams.kafka.topics import ensure
from streams.shards import PlainRecord

GOOD = {"event_id": "e1", "user": "ann", "item": "tea", "action": "view", "ts": 1735689600.0}


class Grave:
    """Buries messages as a worker does, and calls the command."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self._settings, self._capsys = settings, capsys
        self._producer = Producer({"bootstrap.servers": settings.kafka})
        self.buried = 0

    def bury(
        self,
        reason: str,
        value: bytes | None,
        key: bytes | None = b"ann",
        topic: str = "interactions",
    ) -> None:
        """Write a dead letter."""
        record = PlainRecord(self.buried, 1735689600250, value, key)
        message = dead_letter(record, topic, 0, Dead(reason, "why\x1b[31m so"))
        self.produce(message.key, message.value)

    def produce(self, key: bytes | None, value: bytes | None) -> None:
        """Write to the topic."""
        name = f"{self._settings.topic_prefix}dead-letters"
        self._producer.produce(name, value, key)
        assert self._producer.flush(20) == 0
        self.buried += 1

    def call(self, *words: str, code: int = 0) -> list[str]:
        """Run the command; return the lines of its output, or of its one-line error."""
        assert cli.main(["dead-letters", *words]) == code
        said = self._capsys.readouterr()
        if code:
            assert said.err.startswith("headwater: ")
            assert said.err.count("\n") == 1
        return (said.out + said.err).splitlines()

    def listed(self, *words: str) -> list[dict[str, Any]]:
        """Return what `list --json` prints."""
        return [json.loads(line) for line in self.call("list", "--json", *words)]

    def back(self, topic: str = "interactions") -> list[tuple[bytes | None, bytes | None, Any]]:
        """Return key, value and headers of what stands in a topic, in order of time."""
        found = []
        with KafkaConsumer(bootstrap_servers=self._settings.kafka) as consumer:
            name = self._settings.topic_prefix + topic
            tps = [TopicPartition(name, n) for n in consumer.partitions_for_topic(name)]
            consumer.assign(tps)
            consumer.seek_to_beginning(*tps)
            ends = consumer.end_offsets(tps)
            while any(consumer.position(tp) < end for tp, end in ends.items()):
                for records in consumer.poll(timeout_ms=500).values():
                    found += [(r.key, r.value, list(r.headers)) for r in records]
        return sorted(found, key=lambda each: int(each[2][0][1]))


@pytest.fixture
def grave(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Grave:
    for name in ("kafka", "redis", "topic_prefix", "key_prefix", "group", "home", "snapshot_key"):
        monkeypatch.setenv(f"HEADWATER_{name.upper()}", getattr(settings, name))
    ensure(settings)
    return Grave(settings, capsys)


def encode(**fields: Any) -> bytes:
    return msgspec.json.encode(GOOD | fields)


def test_an_empty_topic_says_so(grave: Grave) -> None:
    assert grave.call("list") == ["no dead letters"]
    assert grave.listed() == []
    assert "it is empty" in grave.call("show", "0", code=exits.USAGE.code)[0]


def test_the_newest_are_listed_last_and_nothing_reaches_the_terminal_raw(grave: Grave) -> None:
    for n in range(5):
        grave.bury("not_json", b"x%d" % n, b"key\n\xff")
    lines = grave.call("list", "--limit", "2")
    assert [line.split()[0] for line in lines] == ["3", "4"]
    assert "interactions/0@4" in lines[1]
    assert "key\\x0a\\xff  why\\x1b[31m so" in lines[1]
    assert [found["letter"] for found in grave.listed("--limit", "0")] == [0, 1, 2, 3, 4]


def test_reasons_choose_and_unknown_ones_are_refused(grave: Grave) -> None:
    grave.bury("not_json", b"x")
    grave.bury("no_features", b"{}", topic="labels")
    grave.bury("not_utf8", b"\xff")
    chosen = grave.listed("--reason", "not_utf8", "--reason", "no_features")
    assert [found["reason"] for found in chosen] == ["no_features", "not_utf8"]
    assert "not_json" in grave.call("list", "--reason", "nope", code=exits.USAGE.code)[0]


def test_a_value_is_an_object_or_text_or_bytes(grave: Grave) -> None:
    values = (encode(), b'["ann"]', b'"\xc3\xa9', b"\xff", None, b'{"a":"\\ud800"}')
    for value in values:
        grave.bury("null_value" if value is None else "not_json", value, b"\xfe")
    found = grave.listed()
    assert [each.get("value") for each in found[:4]] == [GOOD, '["ann"]', '"é', None]
    assert [each["key_base64"] for each in found] == ["/g=="] * len(values)


def test_show_prints_all_of_one(grave: Grave) -> None:
    grave.bury("wrong_type", encode(ts="noon"))
    lines = grave.call("show", "0")
    assert {"letter: 0", "reason: wrong_type", "key: ann", "replayed: False"} <= set(lines)
    assert '  "ts": "noon"' in lines
    assert json.loads(grave.call("show", "0", "--json")[0]) == grave.listed()[0]
    assert "it holds 0 to 0" in grave.call("show", "7", code=exits.USAGE.code)[0]


def test_what_is_put_back_is_as_it_came_and_goes_back_once(grave: Grave) -> None:
    odd = b'{ "event_id": "e1",   "user": "ann"}'
    grave.bury("learner_failed", odd)
    grave.bury("predictor_out", b"features", topic="features")
    grave.bury("no_origin", encode(), None, "interactions-rekeyed")
    assert grave.call("replay", "--all") == ["3 messages put back"]
    header = putback.HEADER
    assert grave.back() == [(b"ann", odd, [(header, b"0")]), (None, encode(), [(header, b"2")])]
    assert grave.back("features") == [(b"ann", b"features", [(header, b"1")])]
    assert [found["replayed"] for found in grave.listed()] == [True] * 3
    again = ["0 messages put back", "3 had been put back before; --again sends them anyhow"]
    assert grave.call("replay", "--all") == again
    assert grave.call("replay", "--letter", "0", "--again") == ["1 messages put back"]


def test_mended_lines_of_a_file_are_put_back(grave: Grave, tmp_path: Path) -> None:
    grave.bury("missing_field", b'{"user":"bob"}', b"bob")
    grave.bury("learner_failed", b'{"user": "eve"}', b"eve")
    lines = grave.listed("--limit", "0")
    lines[0]["value"] = GOOD
    file = tmp_path / "mended.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    assert grave.call("replay", "--file", str(file)) == ["2 messages put back"]
    told = [(key, value) for key, value, _ in grave.back()]
    assert told == [(b"bob", encode()), (b"eve", b'{"user": "eve"}')]
    assert "2 had been put back before" in grave.call("replay", "--file", str(file))[1]


def test_lines_may_come_through_a_pipe(grave: Grave, monkeypatch: pytest.MonkeyPatch) -> None:
    grave.bury("not_json", b"user: ann")
    line = grave.call("list", "--json")[0].replace('"user: ann"', json.dumps(GOOD))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    assert grave.call("replay", "--file", "-") == ["1 messages put back"]
    assert grave.back()[0][1] == encode()


def test_a_wrong_line_is_named_and_those_before_it_went(grave: Grave, tmp_path: Path) -> None:
    grave.bury("learner_failed", encode())
    file = tmp_path / "mended.jsonl"
    file.write_text(grave.call("list", "--json")[0] + '\n{"letter": "x"}\n')
    (said,) = grave.call("replay", "--file", str(file), code=exits.USAGE.code)
    assert "line 2" in said
    assert "those before it went" in said
    assert [found["replayed"] for found in grave.listed()] == [True]
    file.write_text('{"letter": 3, "topic": "interactions"}')
    assert "neither value" in grave.call("replay", "--file", str(file), code=2)[0]
    assert "No such file" in grave.call("replay", "--file", "nowhere", code=2)[0]


def test_what_was_cut_or_has_no_reader_is_not_put_back_and_named(
    grave: Grave, tmp_path: Path
) -> None:
    grave.bury("too_large", b" " * MAX_DEAD_BYTES + b"{}")
    grave.bury("not_json", b"x", topic="somewhere")
    grave.bury("learner_failed", encode())
    told = grave.call("replay", "--all", code=exits.USAGE.code)
    assert told[0] == "1 messages put back"
    assert "2 cannot be put back, the first is letter 0: only its first 64 KiB" in told[1]
    assert len(grave.back()) == 1
    lines = grave.listed()
    lines[0]["value"] = GOOD
    file = tmp_path / "mended.jsonl"
    file.write_text(json.dumps(lines[0]))
    assert grave.call("replay", "--file", str(file)) == ["1 messages put back"]


@pytest.mark.parametrize(
    "words", [(), ("--all", "--letter", "1"), ("--all", "--file", "-"), ("--letter", "9")]
)
def test_a_replay_says_which(grave: Grave, words: tuple[str, ...]) -> None:
    grave.bury("not_json", b"x")
    grave.call("replay", *words, code=exits.USAGE.code)
    assert [found["replayed"] for found in grave.listed()] == [False]


def test_what_is_no_dead_letter_in_the_topic_is_passed_over(grave: Grave) -> None:
    for value in (None, b"\xff", b"[]", b'{"reason": 7}'):
        grave.produce(None, value)
    grave.bury("not_json", b"x")
    grave.produce(b"k", b'{"reason":"replayed","topic":"dead-letters","partition":0,"offset":-5}')
    assert [found["letter"] for found in grave.listed()] == [4]


def test_without_a_broker_or_topic_it_is_one_line(
    grave: Grave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", "nowhere.")
    assert "headwater topics" in grave.call("list", code=exits.TOPICS_DIFFER.code)[0]
    monkeypatch.setenv("HEADWATER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("HEADWATER_WAIT_S", "0.5")
    assert "HEADWATER_KAFKA" in grave.call("list", code=exits.KAFKA_AWAY.code)[0]
