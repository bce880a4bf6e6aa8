"""Floors: every beginning of a list keeps its places for groups, and nothing is learned by it."""

from typing import Any

import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from contracts import metrics
from contracts.groups import Groups
from contracts.pipeline import Pipeline
from learners.floors import floors, keep_floors
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.telemetry.metrics import Telemetry
from tests.streams_kit import batch, event, publish, record, run
from tests.test_hiding import ITEMS, ONE, Cutting, teach

RARE = {f"i{k}" for k in range(ITEMS - 8, ITEMS)}  # few choose these
FLOOR = 0.3
PIPELINE = Pipeline(groups={"maker": Groups(floors={"small": FLOOR, "tiny": 0.1})})
BLEND = Pipeline(head="blend", groups=PIPELINE.groups)
HERE = f"{__name__}:PIPELINE"


def unit_of(
    pipeline: str = HERE, told: bool = True, items: int = ONE.items_capacity
) -> tuple[Interactions, InteractionsShard, Cutting, Telemetry]:
    answers, telemetry = Cutting(), Telemetry(CollectorRegistry())
    settings = msgspec.structs.replace(ONE, pipeline=pipeline, items_capacity=items)
    unit = Interactions(settings, telemetry, answers.send, answers.send)
    for item in RARE if told else ():
        unit.describe(item, {"maker": "small"})
    unit.describe("i3", {"maker": "tiny"})
    unit.groups.look()
    return unit, unit.open(0), answers, telemetry


def listed(answers: Cutting, key: str) -> list[str]:
    return [entry["item"] for entry in answers.read(key)["items"]]


def kept(items: list[str], group: set[str], part: float) -> bool:
    """Tell whether every beginning has the places of a group, as far as there are such items."""
    return all(
        sum(item in group for item in items[:n]) >= int(part * n + 1e-9)
        for n in range(1, len(items) + 1)
    )


def as_ranked(score: Any, share: Any, member: Any, depth: int) -> list[int]:
    """Return the list of the kernel for items that are each of a kind of their own."""
    score = np.array(score, np.float32)
    item = np.arange(len(score), dtype=np.int32)
    order = np.argsort(-score, kind="stable")[:depth].astype(np.int32)
    asked = floors(np.array(share), np.array(member, np.bool_), item)
    hidden = np.zeros(len(score), np.bool_)
    keep_floors(asked, item, score, hidden, order, len(score), len(order))
    return [int(place) for place in order]


def test_a_list_that_keeps_its_floors_stays_as_it_is() -> None:
    assert as_ranked([5, 4, 3, 2, 1], [0.5], [[0, 1, 0, 1, 0]], 4) == [0, 1, 2, 3]


def test_the_best_of_a_group_comes_when_it_must_and_not_before() -> None:
    few = [[0, 0, 0, 0, 1, 1]]
    assert as_ranked([6, 5, 4, 3, 2, 1], [0.5], few, 4) == [0, 4, 1, 5]
    assert as_ranked([6, 5, 4, 3, 2, 1], [0.25], few, 4) == [0, 1, 2, 4]
    assert as_ranked([6, 5, 4, 3, 2, 1], [1.0], few, 4) == [4, 5, 0, 1]


def test_floors_that_fall_due_together_are_kept_by_looking_ahead() -> None:
    apart = [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]
    assert as_ranked([6, 5, 4, 3, 2, 1], [1 / 3] * 3, apart, 3) == [3, 4, 5]
    assert as_ranked([6, 5, 4, 3, 2, 1], [0.2] * 3, apart, 5) == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("seed", range(20))
def test_any_floors_are_kept_and_the_rest_stays_in_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    many = 200
    share = random.dirichlet(np.ones(4))[:3]
    group = random.integers(0, 4, many)
    member = [(group == n).tolist() for n in range(3)]
    score = random.random(many)
    found = as_ranked(score, share, member, 20)
    assert len(set(found)) == 20
    for n in range(3):
        assert kept(
            [f"{k}" for k in found], {f"{k}" for k in range(many) if member[n][k]}, share[n]
        )
    for n in range(4):
        own = [score[k] for k in found if group[k] == n]
        assert own == sorted(own, reverse=True)


@pytest.mark.parametrize("pipeline", [HERE, f"{__name__}:BLEND"])
def test_every_list_of_a_user_and_of_strangers_keeps_them(pipeline: str) -> None:
    unit, shard, answers, _ = unit_of(pipeline)
    teach(shard, 600)
    answers.values.clear()
    teach(shard, 60, 600)
    run(unit.tick())
    lists = [k for k in answers.values if k.startswith("hw:rec:")] + ["hw:top"]
    assert len(lists) == 10
    for key in lists:
        assert kept(listed(answers, key), RARE, FLOOR), key
        assert kept(listed(answers, key), {"i3"}, 0.1) or "i3" in listed(answers, key)


def test_who_has_no_candidate_of_a_group_gets_what_is_popular_in_it() -> None:
    """Of 260 items those of the group were chosen once, long ago, by somebody else."""
    unit, shard, answers, _ = unit_of(items=1000)
    rare = sorted(RARE)
    plan = [(f"early{n}", item) for n, item in enumerate(rare)]
    plan += [(f"u{n % 9}", f"common{n * 7 % 250}") for n in range(1000)]
    rows = [record(event(k, user=user, item=item), k) for k, (user, item) in enumerate(plan)]
    publish(shard.handle(batch(rows)))
    publish(shard.handle(batch([record(event(2000, user="u1", item="common1"), 2000)])))
    assert not set(listed(answers, "hw:rec:u1")) & RARE
    run(unit.tick())
    publish(shard.handle(batch([record(event(2001, user="u1", item="common2"), 2001)])))
    assert kept(listed(answers, "hw:rec:u1"), RARE, FLOOR)
    brought = [e for e in answers.read("hw:rec:u1")["items"] if e["item"] in RARE]
    assert {(entry["score"], entry["because"]) for entry in brought} == {(0.0, "popular now")}
    unit.hide(frozenset(rare[:4]))
    publish(shard.handle(batch([record(event(2002, user="u1", item="common3"), 2002)])))
    assert len(set(listed(answers, "hw:rec:u1")) & RARE) == 4


def test_nothing_that_is_learned_or_judged_knows_of_floors() -> None:
    dumps, lists = [], []
    for told in (True, False):
        unit, shard, answers, _ = unit_of(told=told)
        teach(shard, 400)
        teach(shard, 100, 400)  # floors know of items in the batch after their first one
        dumps.append((unit.shared_dump(), shard.dump()))
        lists.append([listed(answers, f"hw:rec:u{n}") for n in range(9)])
    assert dumps[0] == dumps[1]
    assert lists[0] != lists[1]


def test_what_is_hidden_is_not_brought_up_by_a_floor() -> None:
    unit, shard, answers, _ = unit_of()
    unit.hide(frozenset(sorted(RARE)[:6]))
    teach(shard, 600)
    for user in range(9):
        assert not set(listed(answers, f"hw:rec:u{user}")) & unit.hidden


def test_what_a_floor_brought_up_is_found_when_it_is_hidden() -> None:
    unit, shard, answers, _ = unit_of()
    teach(shard, 600)
    gone = next(item for item in listed(answers, "hw:rec:u1") if item in RARE)
    unit.hide(frozenset({gone}))
    run(shard.unlist(frozenset({gone}), frozenset())())
    assert gone in answers.cut["u1"]


def test_the_price_is_of_the_same_events_with_and_without() -> None:
    """One event a batch: the lists that stood there are those that Redis had."""
    unit, shard, answers, telemetry = unit_of()
    random, hits, judged = np.random.default_rng(3), 0, 0
    for k in range(400):
        user, item = f"u{k % 9}", f"i{int(ITEMS * random.random() ** 2)}"
        if k >= 9:
            judged += 1
            hits += item in listed(answers, f"hw:rec:{user}")[:10]
        publish(shard.handle(batch([record(event(k, user=user, item=item), k)])))
    run(unit.tick())
    assert telemetry.value(metrics.FLOOR_HITS, list="given") == pytest.approx(hits / judged)
    stored = shard.quality.total[0, 0]
    before = telemetry.value(metrics.FLOOR_HITS, list="free") * judged
    assert before == pytest.approx(int(stored[:10].sum()), abs=9)  # strangers were judged, too


def test_what_was_let_go_since_it_was_popular_is_not_brought_up() -> None:
    unit, shard, answers, _ = unit_of(items=60)
    plan = [(f"early{n}", item) for n, item in enumerate(sorted(RARE))]
    plan += [(f"u{n % 9}", f"common{n % 45}") for n in range(300)]
    rows = [record(event(k, user=user, item=item), k) for k, (user, item) in enumerate(plan)]
    publish(shard.handle(batch(rows)))
    run(unit.tick())
    new = [record(event(1_000 + k, user=f"v{k}", item=f"x{k}"), 1_000 + k) for k in range(12)]
    publish(shard.handle(batch(new)))  # the rare ones make room
    unit.hide(frozenset(RARE))
    publish(shard.handle(batch([record(event(2_001, user="u1", item="common44"), 2_001)])))
    assert RARE.isdisjoint(listed(answers, "hw:rec:u1"))
