"""The judge of the quality report: before learned, by number of events before, and by delay."""

from argparse import Namespace
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks import cases, ours
from benchmarks.cases import Case, Stream, stream
from benchmarks.contest import FUSED, Contest
from benchmarks.options import CLICKS
from benchmarks.peers.rankers import hourly
from benchmarks.peers.rankers.own import OwnLastItems
from benchmarks.peers.rankers.popularity import Popularity
from benchmarks.prequential import delayed, live
from benchmarks.quality import SECTIONS
from benchmarks.tally import MISS
from streams import offline
from tests.data import data_file


def of(*events: tuple[str, str, float], repeats: cases.Repeats = "always") -> Stream:
    return stream("test", Case(CLICKS, repeats, False, {}), rows(*events))


def rows(*events: tuple[str, str, float]) -> list[dict[str, Any]]:
    return [
        {"event_id": f"e{k}", "user": user, "item": item, "action": "view", "ts": ts}
        for k, (user, item, ts) in enumerate(events)
    ]


def small(repeats: cases.Repeats = "always") -> Stream:
    """Return 400 events in six hours: 20 users, 15 items, no two users alike."""
    random = np.random.default_rng(5)
    made = [
        (f"u{random.integers(20)}", f"i{random.integers(15)}", 1_400_000_000.0 + 54.0 * k)
        for k in range(400)
    ]
    return of(*made, repeats=repeats)


class Last:
    """A ranker that knows one item: the one that was learned last."""

    def __init__(self) -> None:
        self.item: list[Hashable] = []

    def learn_one(  # noqa: D102
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        self.item = [item] if user and y and x else []

    def candidates(  # noqa: D102
        self, user: Hashable, n: int = 20, x: dict[str, Any] | None = None
    ) -> Sequence[Hashable]:
        return self.item[:n] if user and x else []

    def rank(self, user: Hashable, items: set[Hashable]) -> Sequence[Hashable]:  # noqa: D102
        raise NotImplementedError


def test_users_and_items_are_numbered_as_they_come_and_know_how_many_events_were_before() -> None:
    found = of(("b", "x", 1), ("a", "y", 2), ("b", "y", 3))
    assert found.user.tolist() == [0, 1, 0]
    assert found.item.tolist() == [0, 1, 1]
    assert found.before.tolist() == [0, 0, 1]


def test_an_event_is_judged_before_it_is_learned() -> None:
    found = of(("a", "x", 1), ("b", "x", 2), ("a", "y", 3), ("b", "y", 4))
    lists = live(found, Last())
    assert lists.fresh.places == [MISS, 0, MISS, 0]
    assert lists.stored.places == [MISS, 0, MISS, MISS], "b's list was made when x was the last"


def test_a_sweep_makes_waiting_lists_anew_at_the_full_hour() -> None:
    events = of(("a", "x", 10), ("b", "y", 20), ("a", "y", 3_700), ("b", "y", 3_800))
    lists = live(events, Last())
    assert lists.stored.places == [MISS, MISS, MISS, 0]
    assert lists.swept.places == [MISS, MISS, 0, 0]


def test_what_is_younger_than_the_delay_is_not_known() -> None:
    found = of(("a", "x", 1), ("b", "x", 60), ("b", "x", 61))
    assert delayed(found, Last(), 0.0).places == [MISS, 0, 0]
    assert delayed(found, Last(), 60.0).places == [MISS, MISS, 0]


@pytest.mark.parametrize("repeats", ["always", "never"])
def test_our_ranker_and_the_workers_code_are_judged_alike(repeats: cases.Repeats) -> None:
    found = small(repeats)
    worker = offline.replay(found.rows, ours.settings(repeats)).as_dict()["fresh"]
    tally = live(found, ours.ranker(repeats)).fresh
    assert {who: tally.figures(who) for who in ("all", "known")} == {
        who: pytest.approx(worker[who]) for who in ("all", "known")
    }
    assert delayed(found, ours.ranker(repeats), 0.0).places == tally.places


def test_what_may_not_return_is_in_nobodys_list() -> None:
    found = Contest(small("never"), {"own": OwnLastItems(), "popularity": Popularity(15)}).run()
    assert found.tally["own"].coverage(15) == 0.0
    assert found.tally["popularity"].coverage(15) == 1.0


def test_the_fusion_finds_the_better_list() -> None:
    events = [(f"u{k % 3}", f"i{k % 3}", float(k)) for k in range(300)]
    fused = Contest(
        of(*events),
        {"own": OwnLastItems(), "popularity": Popularity(3, 0.1)},
        fuse=True,
    ).run()
    assert fused.tally[FUSED].places[-100:] == [0] * 100


@pytest.mark.parametrize("make", [hourly.cosine, lambda: hourly.bpr(0.1)], ids=["cosine", "bpr"])
def test_a_batch_model_knows_nothing_of_the_hour_that_runs(make: Any) -> None:
    batch, out = hourly.Hourly(3, 3, make()), np.zeros(3)
    for user, item in [(0, 0), (0, 1), (1, 0)]:
        batch.learn(user, item, 100.0)
    batch.score(1, 200.0, out)
    assert batch.fits == 0
    assert out.tolist() == [0.0, 0.0, 0.0]
    batch.score(1, 3_700.0, out)
    assert batch.fits == 1
    assert (out > 0).tolist() == [True, True, False]


def test_without_a_generator_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        ours.without("no such generator", "always")


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_prints_for_any_stream(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    SECTIONS[name](small(), Namespace(rounds=1, repeats=None))
    assert capsys.readouterr().out


def test_of_the_real_clicks_each_user_and_item_come_once() -> None:
    data = data_file("rsc15-100k/clicks.csv.gz").removesuffix("rsc15-100k/clicks.csv.gz")
    once = next(cases.chosen(Namespace(stream=["rsc15-100k-once"], data=data, limit=None)))
    pairs = set(zip(once.user.tolist(), once.item.tolist(), strict=True))
    assert len(pairs) == len(once.rows) == 61_487
