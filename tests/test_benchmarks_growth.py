"""The crowds of the growth benchmark: everybody comes, and times go on."""

from argparse import Namespace
from collections import Counter

import pytest

from benchmarks import growth, memory
from benchmarks.crowds import Crowd


def test_in_the_first_pass_everybody_comes_and_every_item_is_chosen() -> None:
    rows = list(Crowd(users=50, items=50).all(passes=1))
    assert Counter(Counter(row["user"] for row in rows).values()) == {1: 50}
    assert Counter(Counter(row["item"] for row in rows).values()) == {1: 50}


def test_a_full_world_holds_everybody_and_lets_nobody_go() -> None:
    world = growth.fill(Crowd(users=300, items=300))
    assert len(world.state.shard.users.ids) == len(world.state.unit.model.ids) == 300
    assert world.state.shard.learned == world.events
    assert world.state.shard.users.ids.evicted == 0
    assert memory.arrays(world.state.unit.model) > 300 * 20


def test_half_of_the_choices_fall_on_the_best_sellers() -> None:
    rows = list(Crowd(users=100, items=1_000).some(4_000, begin=0, seed=3))
    head = sum(int(row["item"].partition("-")[2]) < 10 for row in rows)
    assert 1_800 < head < 2_300
    assert [row["ts"] for row in rows] == sorted(row["ts"] for row in rows)


def test_nobody_comes_twice_before_all_others_have_come() -> None:
    users = [row["user"] for row in Crowd(users=30, items=5).some(75, begin=0, seed=3)]
    assert [len(set(users[start : start + 30])) for start in (0, 30, 60)] == [30, 30, 15]


def test_the_report_says_the_ratio_and_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    growth.main(Namespace(large=2_000, rounds=1, repeats="always"))
    out = capsys.readouterr().out
    assert "large / small" in out
    assert "bytes per user" in out
