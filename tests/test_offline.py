"""An offline replay: the worker's own code over rows, with figures that no cut changes."""

from typing import Any

import pytest

from contracts.settings import Settings
from headwater.shop import shop
from streams import offline
from streams.sources import reader as source
from tests.data import data_file
from tests.streams_kit import Answers, batch, publish, record, shard_of

MEASURES = {"n", "hr_at_10", "hr_at_20", "mrr_at_20", "ndcg_at_10"}
WIDE = Settings()
NARROW = Settings(items_capacity=60, users_capacity=40, duplicates_window=50)


def rows(n: int = 2_000) -> list[dict[str, Any]]:
    """Return a simulated shop's events, some of them sent twice."""
    found: list[dict[str, Any]] = []
    for row in shop(seed=1):
        found.append(row)
        if len(found) % 40 == 0:
            found.append(found[-7])
        if len(found) >= n:
            return found
    raise AssertionError("the shop closed early")


@pytest.mark.parametrize("settings", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_figures_are_the_same_for_every_cut(settings: Settings) -> None:
    reports = [offline.replay(rows(), settings, cut).as_dict() for cut in (1, 7, 2_000)]
    for report in reports:
        report.pop("events_per_s")
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["duplicates"] >= 40


def test_the_report_has_the_figures_that_were_agreed_on() -> None:
    report = offline.replay(rows(500), Settings()).as_dict()
    assert set(report) >= {"events", "events_per_s", "fresh", "stored"}
    for list_ in ("fresh", "stored", "popularity"):
        assert set(report[list_]) == {"all", "known", "new_items", "repeats"}
        assert all(set(figures) == MEASURES for figures in report[list_].values())
    assert report["fresh"]["all"]["n"] == report["stored"]["all"]["n"] == report["events"]
    assert report["events"] + report["duplicates"] + report["dead_letters"] == 500


def test_of_nothing_there_is_a_report_too() -> None:
    report = offline.replay([], Settings()).as_dict()
    assert report["events"] == report["duplicates"] == 0
    assert report["fresh"]["all"] == dict.fromkeys(MEASURES, 0)


def test_dead_letters_are_counted_apart() -> None:
    some = rows(100)
    some[10] = some[10] | {"user": ""}
    report = offline.replay(some, Settings()).as_dict()
    assert report["dead_letters"] == 1


def test_where_repeats_are_never_shown_no_list_holds_what_was_chosen() -> None:
    _, shard, answers = shard_of(Settings(partitions=1, repeats="never"))
    chosen: dict[str, set[str]] = {}
    for n, row in enumerate(rows(600)):
        publish(shard.handle(batch([record(row, n, at=row["ts"])])))
        chosen.setdefault(row["user"], set()).add(row["item"])
        history = 20  # what is further back is forgotten
        if len(chosen[row["user"]]) < history:
            assert not chosen[row["user"]] & {e["item"] for e in _list(answers, row["user"])}


def _list(answers: Answers, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answers.read(f"hw:rec:{user}")["items"]
    return found


def test_someone_new_is_judged_on_what_is_trending() -> None:
    some = [{**row, "user": f"new {n}"} for n, row in enumerate(rows(800))]
    report = offline.replay(some, Settings()).as_dict()
    assert report["fresh"]["all"] == report["stored"]["all"]
    assert report["fresh"]["known"]["n"] == 0


def test_a_file_gives_the_figures_of_its_rows() -> None:
    path = data_file("rsc15-100k/clicks.csv.gz")
    first = [row for _, row in zip(range(500), source.read(path), strict=False)]
    report = offline.replay(first, Settings()).as_dict()
    assert report["events"] == 500
    assert report["dead_letters"] == 0
