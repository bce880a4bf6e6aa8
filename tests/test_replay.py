"""`headwater replay` through a real broker: what is in the file is what stands in the topic."""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.partitioner.default import murmur2

from contracts import settings as contract
from contracts import topics
from contracts.errors import InputError, KafkaAway, TopicsDiffer
from contracts.settings import Settings
from headwater.commands import replay
from headwater.local import local_kafka
from headwater.shop import shop
from streams.kafka import producer

HEADER = "ts,user,item\n"


@pytest.fixture
def made(settings: Settings) -> Settings:
    create(settings)
    return settings


def create(settings: Settings) -> None:
    used = ((topics.INTERACTIONS, 4), (topics.FEATURES, 1), (topics.LABELS, 1))
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.create_topics(
            [
                NewTopic(settings.topic_prefix + t.name, n, 1, topic_configs=t.config())
                for t, n in used
            ]
        )


def run(settings: Settings, *args: str) -> int:
    parser = ArgumentParser()
    replay.add(parser.add_subparsers())
    return replay.run(parser.parse_args(["replay", *args]), settings)


def log(settings: Settings, topic: topics.Topic, wanted: int | None = None) -> list[Any]:
    """Return the records that stand there, or as many as are wanted, waiting for them."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False)
    name = settings.topic_prefix + topic.name
    parts = [TopicPartition(name, p) for p in sorted(consumer.partitions_for_topic(name))]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    left = sum(consumer.end_offsets(parts).values()) if wanted is None else wanted
    found: list[Any] = []
    while len(found) < left:
        for records in consumer.poll(timeout_ms=1000).values():
            found.extend(records)
    consumer.close()
    return found


def write(folder: Path, text: str) -> str:
    path = folder / "clicks.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_row_arrives_once_keyed_where_java_would_put_it(
    made: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{1396314141 + n},user{n % 50},item{n % 7}\n" for n in range(2000))
    assert run(made, write(tmp_path, HEADER + rows), "--limit", "1500") == 0
    assert "1500 rows" in capsys.readouterr().out
    records = log(made, topics.INTERACTIONS)
    events = sorted((json.loads(r.value) for r in records), key=lambda e: e["ts"])
    assert [e["event_id"] for e in events] == [f"clicks.csv:{n}" for n in range(1, 1501)]
    assert events[0]["action"] == "view"
    for record in records:
        assert record.key.decode() == json.loads(record.value)["user"]
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 4


def test_a_bad_row_ends_it_and_the_rows_before_it_are_sent(made: Settings, tmp_path: Path) -> None:
    text = HEADER + "1396314141,a,b\n1396314142,a,b\n1396314143,,b\n1396314144,a,b\n"
    with pytest.raises(InputError, match="row 3: user is empty; the 2 before it were sent"):
        run(made, write(tmp_path, text))
    assert len(log(made, topics.INTERACTIONS)) == 2


def test_a_predictor_is_fed_features_then_label_then_the_next(
    made: Settings, tmp_path: Path
) -> None:
    rows = "".join(f"{n}.5,red,{n % 2}\n" for n in range(100))
    path = write(tmp_path, "a,b,y\n" + rows)
    assert run(made, path, "--predictor", "elec", "--label", "y") == 0
    asked, told = log(made, topics.FEATURES), log(made, topics.LABELS)
    assert json.loads(asked[3].value) == {
        "predictor": "elec",
        "id": "clicks.csv:4",
        "x": {"a": 3.5, "b": "red"},
        "ts": 1_000_000_004.0,
    }
    assert json.loads(told[3].value)["y"] == 1
    assert asked[3].key == told[3].key == b"clicks.csv:4"
    assert len(asked) == len(told) == 100
    times = [r.timestamp for pair in zip(asked, told, strict=True) for r in pair]
    assert times == sorted(times)


def test_no_broker_is_said_with_its_address() -> None:
    settings = Settings(kafka="127.0.0.1:1", wait_s=1.0)
    with pytest.raises(KafkaAway, match=r"no Kafka answers at 127\.0\.0\.1:1 within 1 s"):
        producer.interactions(shop(1, events=1), settings, print)


def test_a_missing_topic_is_said_before_anything_is_sent(settings: Settings) -> None:
    with pytest.raises(TopicsDiffer, match="run `headwater topics`"):
        producer.interactions(shop(1, events=1), settings, print)


def test_a_row_larger_than_kafka_takes_is_said_with_the_count(made: Settings) -> None:
    huge = {"user": "ann", "item": "x" * 2_000_000}
    with pytest.raises(InputError, match=r"a row of .* bytes cannot be sent.* 1 before it were"):
        producer.interactions([*shop(1, events=1), huge], made, lambda _: None)


def test_a_broker_that_dies_on_the_way_ends_it_with_the_count(tmp_path: Path) -> None:
    with local_kafka(tmp_path) as broker:
        settings = Settings(kafka=broker.address, wait_s=6.0)
        create(settings)

        def rows() -> Iterator[dict[str, Any]]:
            for n, row in enumerate(shop(1, events=2000)):
                if n == 1000:
                    assert len(log(settings, topics.INTERACTIONS, 1000)) == 1000
                    time.sleep(1.0)  # they stand there; their acknowledgements are on the way
                    broker.kill()
                yield row

        with pytest.raises(KafkaAway, match=r"stopped taking messages .*; 1000 were sent"):
            producer.interactions(rows(), settings, lambda _: None)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--predictor", "elec"], "give both"),
        (["--limit", "-1"], "--limit must be 0 or more"),
        (["--repeats", "never"], "needs --offline"),
        (["--json"], "needs --offline"),
        (["--offline", "--rate", "5"], "needs Kafka"),
    ],
)
def test_options_that_make_no_sense_are_named(args: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        run(Settings(), "clicks.csv", *args)


@pytest.mark.parametrize(
    ("option", "setting", "wanted"),
    [
        ("", "", "always"),
        ("", "never", "never"),
        ("", "learn", "learn"),
        ("learn", "never", "learn"),
    ],
)
def test_offline_items_may_return_unless_option_or_setting_say_more(
    option: str, setting: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting:
        monkeypatch.setenv("HEADWATER_REPEATS", setting)
    args = Namespace(repeats=option or None)
    assert replay._repeats(args, contract.read(os.environ)) == wanted


@pytest.mark.parametrize("args", [["--offline"], ["--offline", "--predictor", "p", "--label", "y"]])
def test_a_wrong_file_is_named_before_the_learners_are_imported(
    args: list[str], tmp_path: Path
) -> None:
    code = (
        "import sys\nfrom headwater import cli\ncode = cli.main(sys.argv[1:])\n"
        "sys.exit(code if not {'numba', 'river', 'faust'} & set(sys.modules) else 'too late')"
    )
    for path in ("nope.csv", write(tmp_path, "when,what\n1,2\n")):
        done = subprocess.run(
            [sys.executable, "-c", code, "replay", path, *args],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "name a file" in done.stderr or "has no column" in done.stderr


def test_a_first_row_that_is_wrong_is_not_said_to_follow_others(
    made: Settings, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"row 1: user is empty$"):
        run(made, write(tmp_path, HEADER + "1396314141,,b\n"))


def test_of_a_file_without_rows_no_quality_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HEADER)
    assert run(Settings(), path, "--offline") == 0
    said = capsys.readouterr().out
    assert f"no rows in {path}" in said
    assert "0.0000" not in said
    assert "-" in said
