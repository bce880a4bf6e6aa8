"""Figures on real streams do not move unnoticed. A better figure moves them too: write it down."""

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
# File, events, repeats → (list, who, measure): figure.
FIGURES: dict[tuple[str, int, str], dict[tuple[str, str, str], float]] = {
    (CLICKS, FIRST, "always"): {
        ("fresh", "known", "hr_at_20"): 0.6070,
        ("fresh", "known", "mrr_at_20"): 0.3695,
        ("fresh", "all", "ndcg_at_10"): 0.3201,
        ("stored", "known", "hr_at_10"): 0.5603,
        ("popularity", "known", "hr_at_20"): 0.1352,
    },
    (CLICKS, 83_846, "always"): {
        ("fresh", "known", "hr_at_20"): 0.6625,
        ("fresh", "known", "mrr_at_20"): 0.3730,
        ("fresh", "all", "hr_at_10"): 0.4821,
        ("stored", "known", "hr_at_20"): 0.6616,
        ("popularity", "known", "hr_at_20"): 0.1386,
    },
    (RATINGS, FIRST, "always"): {
        ("fresh", "known", "hr_at_20"): 0.1970,
        ("stored", "known", "hr_at_20"): 0.1566,
        ("popularity", "known", "hr_at_20"): 0.1740,
    },
    (RATINGS, FIRST, "never"): {
        ("fresh", "known", "hr_at_20"): 0.1962,
        ("stored", "known", "hr_at_20"): 0.1569,
    },
}


def report_of(file: str, events: int, repeats: Any) -> dict[str, Any]:
    rows = islice(source.read(data_file(file)), events)
    return offline.replay(rows, Settings(repeats=repeats)).as_dict()


@pytest.mark.parametrize("scenario", FIGURES, ids=lambda s: f"{s[0].split('/')[0]}-{s[1]}-{s[2]}")
def test_the_figures_are_those_that_were_measured(scenario: tuple[str, int, str]) -> None:
    report = report_of(*scenario)
    found = {key: report[key[0]][key[1]][key[2]] for key in FIGURES[scenario]}
    assert found == pytest.approx(FIGURES[scenario], abs=TOLERANCE)


def test_a_shops_clicks_reach_the_targets_that_were_set() -> None:
    fresh = report_of(CLICKS, 83_846, "always")["fresh"]
    assert fresh["known"]["hr_at_20"] >= 0.50
    assert fresh["known"]["hr_at_10"] >= 0.600
    assert fresh["known"]["mrr_at_20"] >= 0.368
    assert fresh["all"]["hr_at_10"] >= 0.480
    assert fresh["all"]["mrr_at_20"] >= 0.287
