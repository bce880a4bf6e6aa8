"""Figures on real streams do not move unnoticed. A better figure moves them too: write it down."""

from functools import cache
from itertools import islice
from typing import Any

import pytest

from contracts.settings import Settings
from streams import offline
from streams.sources import reader as source
from tests.data import data_file

TOLERANCE = 0.005
FIRST = 20_000
CLICKS, RATINGS = "rsc15-100k/clicks.csv.gz", "movietweetings-100k/ratings.csv.gz"
ALL = 83_846
# File, events, repeats → (list, who, measure): figure.
FIGURES: dict[tuple[str, int, str], dict[tuple[str, str, str], float]] = {
    (CLICKS, FIRST, "always"): {
        ("fresh", "known", "hr_at_20"): 0.6080,
        ("fresh", "known", "mrr_at_20"): 0.3698,
        ("fresh", "all", "ndcg_at_10"): 0.3205,
        ("fresh", "new_items", "hr_at_10"): 0.2290,
        ("fresh", "repeats", "mrr_at_20"): 0.8194,
        ("stored", "known", "hr_at_10"): 0.5619,
        ("popularity", "known", "hr_at_20"): 0.1352,
    },
    (CLICKS, FIRST, "learn"): {
        ("fresh", "known", "hr_at_10"): 0.5626,
        ("fresh", "known", "mrr_at_20"): 0.3698,
        ("stored", "all", "hr_at_10"): 0.4420,
    },
    (CLICKS, FIRST, "never"): {
        ("fresh", "new_items", "hr_at_10"): 0.2514,
        ("fresh", "new_items", "mrr_at_20"): 0.1363,
        ("fresh", "repeats", "hr_at_20"): 0.0,
    },
    (CLICKS, ALL, "learn"): {
        ("fresh", "known", "hr_at_10"): 0.6041,
        ("fresh", "known", "mrr_at_20"): 0.3727,
        ("fresh", "all", "hr_at_10"): 0.4831,
        ("fresh", "all", "mrr_at_20"): 0.2910,
        ("fresh", "new_items", "hr_at_10"): 0.3004,
        ("stored", "known", "hr_at_20"): 0.6632,
        ("popularity", "known", "hr_at_20"): 0.1386,
    },
    (RATINGS, FIRST, "always"): {
        ("fresh", "known", "hr_at_20"): 0.2000,
        ("stored", "known", "hr_at_20"): 0.1594,
        ("popularity", "known", "hr_at_20"): 0.1740,
    },
    (RATINGS, FIRST, "learn"): {
        ("fresh", "all", "hr_at_10"): 0.1689,
        ("fresh", "all", "mrr_at_20"): 0.0831,
        ("stored", "known", "hr_at_20"): 0.1594,
    },
    (RATINGS, FIRST, "never"): {
        ("fresh", "known", "hr_at_20"): 0.1994,
        ("stored", "known", "hr_at_20"): 0.1597,
    },
}


@cache
def report_of(file: str, events: int, repeats: Any) -> dict[str, Any]:
    rows = islice(source.read(data_file(file)), events)
    return offline.replay(rows, Settings(repeats=repeats)).as_dict()


@pytest.mark.parametrize("scenario", FIGURES, ids=lambda s: f"{s[0].split('/')[0]}-{s[1]}-{s[2]}")
def test_the_figures_are_those_that_were_measured(scenario: tuple[str, int, str]) -> None:
    report = report_of(*scenario)
    found = {key: report[key[0]][key[1]][key[2]] for key in FIGURES[scenario]}
    assert found == pytest.approx(FIGURES[scenario], abs=TOLERANCE)


def test_a_shops_clicks_reach_the_targets_that_were_set() -> None:
    fresh = report_of(CLICKS, ALL, "learn")["fresh"]
    assert fresh["known"]["hr_at_10"] >= 0.600
    assert fresh["known"]["mrr_at_20"] >= 0.368
    assert fresh["all"]["hr_at_10"] >= 0.480
    assert fresh["all"]["mrr_at_20"] >= 0.287


@pytest.mark.parametrize(("file", "right"), [(CLICKS, "always"), (RATINGS, "never")])
@pytest.mark.parametrize("measure", ["hr_at_10", "mrr_at_20"])
def test_finding_out_about_repeats_costs_next_to_nothing(
    file: str, right: str, measure: str
) -> None:
    told, found = (report_of(file, FIRST, r)["fresh"]["all"][measure] for r in (right, "learn"))
    assert found >= 0.99 * told


def test_lists_that_wait_lose_nothing_where_own_items_decide() -> None:
    report = report_of(CLICKS, ALL, "learn")
    assert report["stored"]["all"]["hr_at_10"] >= 0.97 * report["fresh"]["all"]["hr_at_10"]
