"""A disaster of `make bench-recovery`: what it measures is what the runbook promises."""

import re

import pytest

from benchmarks import rig
from benchmarks.recovery.__main__ import outcome
from benchmarks.recovery.disasters import DISASTERS
from tests.docs_blocks import ROOT


@pytest.mark.long
def test_a_wiped_redis_loses_no_event_and_no_list_that_the_log_still_has() -> None:
    with rig.rig() as bench:
        found = outcome(bench, DISASTERS["redis-wiped"], 2_000, 100.0)
    assert (found.lost, found.behind) == (0, 0)


def test_every_disaster_of_the_runbook_is_one_that_is_measured() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").partition("## Disasters")[2]
    rows = re.findall(r"^\| ([^|,]+?)(?:,[^|]*)? \|", text, re.M)[2:]
    measured = {re.sub("^one of two workers", "a worker", d.name) for d in DISASTERS.values()}
    assert set(rows) == measured
