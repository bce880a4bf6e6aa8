"""Fixtures for every test: one broker and one Redis for the session, names of its own for each."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from contracts.settings import Settings
from tests import leftovers, services

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis_settings.register_profile(
    "headwater", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("headwater")


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail at the end of the session if a process that a test has started still lives."""
    mark = uuid.uuid4().hex
    os.environ[leftovers.MARK] = mark
    folder = tmp_path_factory.getbasetemp().resolve()
    yield
    deadline = time.monotonic() + 5.0  # what was killed takes a moment to be gone
    while (left := leftovers.left_over(mark, folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == [], "tests left processes running"


@pytest.fixture(scope="session")
def kafka(nothing_is_left: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - it must be torn down last
    """Give host:port of a real broker, one for the whole session."""
    with services.kafka_address(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def redis_url(nothing_is_left: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - it must be torn down last
    """Give the URL of a real Redis, empty at the session's begin."""
    with services.redis_url(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder to stand in, from which modules can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def settings(kafka: str, redis_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Give settings whose topics, keys, group and folder no other test shares."""
    name = f"t{uuid.uuid4().hex[:10]}"
    yield Settings(
        kafka=kafka,
        redis=redis_url,
        group=name,
        topic_prefix=f"{name}.",
        key_prefix=f"{name}:",
        snapshot_key="a key for tests only",
        metrics_port=0,
        page_port=0,
        home=str(tmp_path / "home"),
    )
    services.forget(kafka, redis_url, f"{name}.", f"{name}:")
