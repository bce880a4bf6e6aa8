"""The demo as a user runs it: from nothing to a summary, and nothing stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from contracts import metrics
from headwater import demo_summary
from headwater.demo_stream import CHANGE_AT, stream
from serving.live import Point, Snapshot
from serving.scrape import Samples
from streams.telemetry.metrics import Telemetry
from tests import leftovers

FIELDS = [
    "produced",
    "consumed",
    "learned",
    "dead_letters",
    "duplicates",
    "rekeyed",
    "hr_at_10",
    "hr_at_20",
    "mrr_at_20",
    "popularity_hr_at_10",
    "events_per_s",
    "freshness_ms_p50",
    "freshness_ms_p99",
    "lists_published",
    "drifts",
]


class Demo:
    """A demo as a child process, with its output."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder = folder.resolve()
        self.mark = uuid.uuid4().hex
        self.summary = folder / "summary.json"
        environ = os.environ | {
            "HEADWATER_HOME": str(folder / "home"),
            "HEADWATER_PAGE_PORT": "0",
            leftovers.MARK: self.mark,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headwater", "demo", "--summary", str(self.summary), *args],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, text: str) -> str:
        """Return what was said up to a line with this text."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        pytest.fail(f"the demo never said {text!r} but:\n{said}")

    def left(self) -> list[str]:
        """Return the processes that still live after some seconds."""
        deadline = time.monotonic() + 10.0
        while (found := leftovers.left_over(self.mark, self.folder)) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.1)
        return found


@contextmanager
def running(folder: Path, *args: str) -> Iterator[Demo]:
    demo = Demo(folder, *args)
    try:
        yield demo
    finally:
        demo.process.kill()
        demo.process.communicate()


def events(folder: Path, n: int) -> str:
    path = folder / "clicks.csv"
    rows = "".join(f"{1396314141 + k},user{k % 97},item{k * k % 11}\n" for k in range(n))
    path.write_text("ts,session,item\n" + rows, encoding="utf-8")
    return str(path)


def test_a_demo_with_an_end_ends_with_a_summary_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path, "--seconds", "6") as demo:
        said, _ = demo.process.communicate(timeout=200)
        assert demo.process.returncode == 0, said
    assert "a SIMULATED shop" in said
    found = json.loads(demo.summary.read_text())
    assert list(found) == FIELDS
    assert found["produced"] == found["consumed"] == found["learned"] > 5000
    assert found["dead_letters"] == found["duplicates"] == found["rekeyed"] == 0
    assert found["hr_at_10"] > 2 * found["popularity_hr_at_10"] > 0
    assert found["lists_published"] > 0
    assert demo.left() == []
    assert list((tmp_path / "home").iterdir()) == []


def test_a_demo_of_a_file_sends_all_of_it_and_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    with running(tmp_path, "--data", events(tmp_path, 3000)) as demo:
        demo.until("learned 3,000")
        demo.process.send_signal(signal.SIGINT)
        said, _ = demo.process.communicate(timeout=60)
        assert demo.process.returncode == 0, said
    found = json.loads(demo.summary.read_text())
    assert found["produced"] == found["learned"] == 3000
    assert demo.left() == []


def test_a_killed_demo_leaves_no_child_behind(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        demo.until("events/s ")
        demo.process.kill()
        demo.process.wait()
        assert demo.left() == []


def test_a_file_is_made_to_last_the_time(tmp_path: Path) -> None:
    found = stream(events(tmp_path, 1900), rate=None, seconds=10.0)
    assert (found.title, found.rate) == ("clicks.csv", 200.0)
    assert stream(events(tmp_path, 1900), rate=50.0, seconds=10.0).rate == 50.0
    assert len(list(found.rows)) == 1900


def test_the_change_of_taste_comes_at_half_of_the_time() -> None:
    assert "changes after 500 events" in stream(None, rate=100.0, seconds=10.0).title
    endless = stream(None, rate=None, seconds=None)
    assert f"{CHANGE_AT:,}" in endless.title
    assert len(list(islice(endless.rows, 10))) == 10


def test_a_summary_says_null_where_there_is_no_figure(tmp_path: Path) -> None:
    telemetry = Telemetry(CollectorRegistry())
    labels = {"topic": "interactions", "outcome": "learned"}
    telemetry.count(metrics.EVENTS, 10, **labels)
    telemetry.count(metrics.LISTS, 4, kind="rec")
    telemetry.count(metrics.LISTS, 9, kind="sim")
    samples = Samples(generate_latest(telemetry.registry).decode())
    found = demo_summary.summary(Snapshot(Point(0.0), 1, "", samples), produced=12, seconds=4.0)
    demo_summary.write(found, tmp_path / "summary.json")
    read = json.loads((tmp_path / "summary.json").read_text())
    assert list(read) == FIELDS
    assert (read["produced"], read["consumed"], read["learned"]) == (12, 10, 10)
    assert (read["events_per_s"], read["lists_published"]) == (2.5, 4)
    assert read["hr_at_10"] is read["freshness_ms_p50"] is None
