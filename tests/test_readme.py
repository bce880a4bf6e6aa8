"""The README's code runs as it stands, against a real Kafka and Redis.

Of its blocks those `at home` run with the local services of `headwater up`; `at the end` is when
that is over.
"""

import json
from pathlib import Path

from contracts.settings import Settings
from tests.docs_blocks import Block, blocks, environment, given, placed, run


def readme() -> list[Block]:
    return blocks("README.md")


def test_own_kafka_and_redis(settings: Settings, tmp_path: Path) -> None:
    environ = environment(tmp_path) | given(settings)
    chosen = [block for block in readme() if block.how and "at home" not in block.how]
    said = run([placed(block, settings) for block in chosen], environ, tmp_path)
    found = json.loads(said.of("redis-cli"))
    shown = next(json.loads(block.code) for block in readme() if block.language == "json")
    assert found["user"] == shown["user"]
    assert found["items"][0]["because"] == shown["items"][0]["because"]
    assert [entry["item"] for entry in found["items"]] == [e["item"] for e in shown["items"]]
    assert found.keys() == shown.keys()
    assert found["version"] == shown["version"]
    assert "with tea that you chose" in said.of("headwater recommend eve")
    assert json.loads(said.of("--user visitor"))["events"] == 2
    assert json.loads(said.of("--predictor"))["judged"] == 4


def test_local_kafka_and_redis(tmp_path: Path) -> None:
    environ = environment(tmp_path) | {"HEADWATER_HOME": str(tmp_path / "home")}
    chosen = [block for block in readme() if "at home" in block.how]
    last = [block for block in chosen if "at the end" in block.how]
    try:
        said = run([block for block in chosen if block not in last], environ, tmp_path)
    finally:
        ended = run(last, environ, tmp_path)
    assert "has stopped" in ended.of("headwater down")
    assert "3 rows of stdin sent" in said.of("headwater replay")
