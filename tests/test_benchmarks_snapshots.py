"""What snapshots cost: a watched worker tells what held it, and the report names every target."""

import asyncio
import time
from argparse import Namespace

import pytest

from benchmarks import snapshots
from benchmarks.watched import Told, Watch, told


async def hold() -> None:
    watch = asyncio.get_running_loop().create_task(Watch().run())
    await asyncio.sleep(0.05)
    slow()
    await asyncio.sleep(0.05)
    watch.cancel()


def slow() -> None:
    time.sleep(0.2)


def test_whatever_holds_the_loop_is_told_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    asyncio.run(hold())
    longest = max(told(capfd.readouterr().out.encode()), key=lambda t: t.seconds)
    assert longest.what == "held"
    assert longest.seconds >= 0.19
    assert longest.by.startswith("tests/test_benchmarks_snapshots.py:slow < ")


def test_other_lines_of_a_log_are_passed_over() -> None:
    assert list(told(b'a word\n{"what":"held","at":1.0,"seconds":2.0,"by":"x"}\n{"sent":1}')) == [
        Told("held", 1.0, 2.0, "x")
    ]


@pytest.mark.long
def test_every_target_stands_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    args = Namespace(users=300, items=200, events=30_000, partitions=[2], rounds=1)
    snapshots.main(args)
    out = capsys.readouterr().out
    for what in ("throughput", "event loop", "GET", "cold start", "SIGTERM", "revoke",
                 "forget:", "forget --exact:", "--skip", "--replay", "missing"):  # fmt: skip
        assert any(what in line and "target ≤" in line for line in out.splitlines()), what
