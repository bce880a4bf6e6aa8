"""Through real Kafka, worker and Redis: poison is buried, others serve on, the mended returns."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
import redis

from contracts.settings import Settings
from contracts.topics import FEATURES, LABELS
from headwater import cli
from headwater.local import ports
from streams.kafka.producer import Sender
from streams.kafka.topics import ensure
from streams.predictions.fuses import BLOWS_AFTER, TRIED_EVERY
from tests.test_predictor_kafka import worker

BROKEN = BLOWS_AFTER + 10
GOOD = 30


@pytest.fixture
def two(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give settings with a predictor that raises on everything while a file is there."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    (tmp_path / "shop_models.py").write_text(MODULE)
    (tmp_path / "broken").touch()
    for name in ("kafka", "redis", "topic_prefix", "key_prefix", "group", "home", "snapshot_key"):
        monkeypatch.setenv(f"HEADWATER_{name.upper()}", getattr(settings, name))
    named = {"elec": "learners.examples:elec", "mine": "shop_models:mine"}
    found = msgspec.structs.replace(settings, predictors=named, metrics_port=ports.quiet())
    ensure(found)
    return found


MODULE = """
from pathlib import Path
from river import dummy, stats

class Mine(dummy.StatisticRegressor):
    def predict_one(self, x):
        if Path(__file__).with_name("broken").exists():
            raise RuntimeError("out of order")
        return super().predict_one(x)

def mine():
    return Mine(stats.Mean())
"""


def ask(settings: Settings, predictor: str, ids: range) -> None:
    """Send features and labels of a predictor."""
    sender = Sender(settings, FEATURES, LABELS)
    for n in ids:
        body: dict[str, Any] = {"predictor": predictor, "id": f"{predictor}-{n}", "ts": time.time()}
        sender.send(body["id"], {**body, "x": {"a": float(n)}}, FEATURES)
        if predictor == "elec":
            sender.finish()
            sender.send(body["id"], {**body, "y": n % 2 == 0}, LABELS)
        sender.finish()


@pytest.mark.long
def test_a_predictor_that_raises_on_everything_is_out_and_returns_with_its_letters(
    two: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def letters(reason: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        words = ["list", "--json", "--limit", "0", "--reason", reason]
        assert cli.main(["dead-letters", *words]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    with worker(two, tmp_path):
        ask(two, "mine", range(BROKEN))
        ask(two, "elec", range(GOOD))
        within(lambda: answered(two, "elec") == GOOD)
        within(lambda: out(two) == 1.0)
        assert {found["topic"] for found in letters("predictor_out")} == {"features"}
        assert answered(two, "mine") == 0
    (tmp_path / "broken").unlink()
    with worker(two, tmp_path):
        replay = ["replay", "--reason", "predictor_out", "--reason", "predictor_failed"]
        within(lambda: out(two) == 1.0)
        assert cli.main(["dead-letters", *replay]) == 0
        within(lambda: answered(two, "mine") > BROKEN - TRIED_EVERY)
        assert out(two) == 0.0
        assert cli.main(["dead-letters", *replay]) == 0  # what came before its trial
        within(lambda: answered(two, "mine") == BROKEN)


def answered(settings: Settings, predictor: str) -> int:
    """Return how many answers of a predictor stand in Redis."""
    with redis.Redis.from_url(settings.redis) as client:
        return len(client.keys(f"{settings.key_prefix}pred:{predictor}:*"))


def within(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return when something has become true."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)


def out(settings: Settings) -> float | None:
    """Return what the alarm metric says of the predictor's answers."""
    try:
        with urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith('headwater_learner_out{learner="mine",verb="predict_one"}'):
            return float(line.split()[-1])
    return None
