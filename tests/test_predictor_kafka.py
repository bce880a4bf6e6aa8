"""Through real Kafka, worker and Redis a predictor answers what a bare River loop answers.

2,000 rows of elec2; all of them, some two minutes: HEADWATER_TEST_ROWS=45312 pytest --timeout 3600
tests/test_predictor_kafka.py
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from kafka import KafkaConsumer, TopicPartition
from river import linear_model, preprocessing

from contracts import keys, topics
from contracts.settings import Settings
from headwater.local import Supervised, spawn
from streams.kafka import producer
from streams.kafka.topics import ensure
from streams.sources import examples as source_examples
from streams.sources.examples import Example
from tests import children
from tests.data import data_file

ROWS = int(os.environ.get("HEADWATER_TEST_ROWS", "2000"))
PATIENCE_S = 60.0  # without any new answer


@pytest.fixture
def elec(settings: Settings) -> Settings:
    """Give settings that name the predictor; its topics are there."""
    named = msgspec.structs.replace(settings, predictors={"elec": "learners.examples:elec"})
    ensure(named)
    return named


@pytest.fixture
def rows() -> list[Example]:
    """Give the first rows of elec2."""
    path = data_file("elec2/elec.csv.gz")
    return list(islice(source_examples.read(path, "elec", "class"), ROWS))


def test_answers_through_kafka_are_those_of_a_bare_river_loop(
    elec: Settings, rows: list[Example], tmp_path: Path
) -> None:
    with worker(elec, tmp_path):
        producer.examples(rows, elec, lambda _: None)
        assert bare(rows) == answers(elec, len(rows))
        last = rows[-1].features["id"]
        assert bare(rows)[last] == standing(elec, keys.PRED, last)
        assert standing(elec, keys.PENDING, last, gone=True) is None


def test_a_worker_that_is_killed_half_way_through_a_backlog_changes_no_answer(
    elec: Settings, rows: list[Example], tmp_path: Path
) -> None:
    rows = rows[:1000]
    producer.examples(rows, elec, lambda _: None)
    with worker(elec, tmp_path) as first:
        answers(elec, 300)
        first.send(9)
        first.wait(10)
    with worker(elec, tmp_path):
        assert bare(rows) == answers(elec, len(rows))


@contextmanager
def worker(settings: Settings, folder: Path) -> Iterator[Supervised]:
    """Run `headwater worker` as a process of its own."""
    environ = {**os.environ, **children.environ(settings), "PYTHONWARNINGS": ""}
    command: list[str | Path] = [Path(sys.executable).with_name("headwater"), "worker"]
    child = spawn(command, folder / "worker.log", environ)
    try:
        yield child
    except BaseException:
        sys.stderr.write((folder / "worker.log").read_text(encoding="utf-8")[-4000:])
        raise
    finally:
        if child.alive:
            child.stop()


def bare(rows: list[Example]) -> dict[str, Any]:
    """Return what a bare River loop answers, by id: answer, probability, labels learned."""
    model, found = preprocessing.StandardScaler() | linear_model.LogisticRegression(), {}
    for n, (features, label) in enumerate(rows):
        chances = model.predict_proba_one(features["x"])
        answer = model.predict_one(features["x"])
        found[features["id"]] = (answer, chances[answer], n)
        assert label is not None
        model.learn_one(features["x"], label["y"])
    return found


def answers(settings: Settings, n: int) -> dict[str, Any]:
    """Return what stands in `predictions` once `n` ids do; an id is never answered differently."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False)
    part = TopicPartition(settings.topic_prefix + topics.PREDICTIONS.name, 0)
    consumer.assign([part])
    consumer.seek_to_beginning(part)
    found: dict[str, Any] = {}
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < n and time.monotonic() < deadline:
        for record in consumer.poll(timeout_ms=500).get(part, []):
            body = json.loads(record.value)
            assert record.key.decode() == body["id"]
            assert found.setdefault(body["id"], brief(body)) == brief(body)
            deadline = time.monotonic() + PATIENCE_S
    consumer.close()
    return found


def brief(body: dict[str, Any]) -> tuple[Any, float, int]:
    return body["answer"], body["probability"], body["version"]


def standing(settings: Settings, key: keys.Key, id_: str, gone: bool = False) -> Any:
    """Return what stands in Redis for an id, waiting until it does, or is gone."""
    at = key.at(settings.key_prefix, predictor="elec", id=id_)
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(settings.redis) as client:
        while ((value := client.get(at)) is None) != gone and time.monotonic() < deadline:
            time.sleep(0.05)
    return None if value is None else brief(json.loads(value))
