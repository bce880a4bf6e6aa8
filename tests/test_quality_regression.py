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
        ("fresh", "known", "hr_at_20"): 0.5745,
        ("fresh", "known", "mrr_at_20"): 0.3107,
        ("fresh", "all", "ndcg_at_10"): 0.2804,
        ("stored", "known", "hr_at_10"): 0.5265,
        ("popularity", "known", "hr_at_20"): 0.1352,
    },
    (CLICKS, 83_846, "always"): {
        ("fresh", "known", "hr_at_20"): 0.6418,
        ("fresh", "known", "mrr_at_20"): 0.3376,
        ("fresh", "all", "hr_at_10"): 0.4658,
        ("stored", "known", "hr_at_20"): 0.6418,
        ("popularity", "known", "hr_at_20"): 0.1386,
    },
    (RATINGS, FIRST, "always"): {
        ("fresh", "known", "hr_at_20"): 0.1246,
        ("stored", "known", "hr_at_20"): 0.1080,
        ("popularity", "known", "hr_at_20"): 0.1740,
    },
    (RATINGS, FIRST, "never"): {
        ("fresh", "known", "hr_at_20"): 0.1317,
        ("stored", "known", "hr_at_20"): 0.1148,
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


def test_a_shops_clicks_reach_the_target_that_was_set() -> None:
    known = report_of(CLICKS, 83_846, "always")["fresh"]["known"]
    assert known["hr_at_20"] >= 0.50
    assert known["mrr_at_20"] >= 0.21
