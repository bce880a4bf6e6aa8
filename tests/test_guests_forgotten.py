"""Who is forgotten is forgotten with all guests they have been."""

import random
from typing import Any

import numpy as np
import pytest
from faust.types import TP

from contracts.pipeline import Pipeline
from learners.batches import Events
from learners.erased import erase
from learners.moved import arrive, depart
from learners.recommender import Recommender
from learners.users import Shape, Users
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, send_nowhere
from tests import saved_state
from tests.forget_world import PARTITIONS, PEOPLE, TWO
from tests.guests_world import FAR, GUEST, Host, Inn
from tests.orders_world import A, Places, run
from tests.streams_kit import NOW

THREE = ("ann", "guest", "another guest")


def never_saw(inn: Inn, *people: str) -> saved_state.State:
    """Return what a fold knows that these people's events were left out of."""
    unit = Interactions(TWO, NoTelemetry(), send_nowhere, send_nowhere)
    names = {name.encode() for name in people}
    for partition in range(PARTITIONS):
        log = inn.logs[TP(A, partition)]
        events = [r for r in log if r.key not in names and not r.headers]
        unit.open(partition).handle(Batch(A, partition, events))
    return saved_state.of(unit, NOW)


def hold_sums(found: saved_state.State, wanted: saved_state.State) -> None:
    assert {i: n for i, n in found.seen.items() if n} == {i: n for i, n in wanted.seen.items() if n}
    assert {i: w for i, w in found.weight.items() if w} == pytest.approx(wanted.weight)
    assert found.near == pytest.approx(wanted.near, rel=1e-5)
    assert found.history == wanted.history


def test_a_merged_history_is_subtracted_as_it_was_taught() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = Host(inn)
        await host.open(0, 1)
        for n in range(4):
            inn.crowd(20)
            inn.visit(FAR, 2)
            inn.visit(GUEST, 2)
            if n % 2:
                inn.login(GUEST, FAR)
            await host.settle()
        inn.forget(FAR)
        await host.settle()
        await host.save()
        hold_sums(saved_state.of(host.unit, NOW), never_saw(inn, FAR, GUEST))
        dumps = [s.dump() for s in host.unit.shards.values()] + [host.unit.shared_dump()]
        held = [part for dump in dumps for part, data in dump.items() if FAR.encode() in data]
        assert held == []

    run(work)


@pytest.mark.parametrize("crash", [False, True])
def test_a_rebuild_learns_nothing_of_the_guests_either(crash: bool) -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = Host(inn)
        await host.open(0, 1)
        inn.crowd(40)
        inn.visit(FAR, 3)
        inn.visit(GUEST, 3)
        await host.settle()
        inn.login(GUEST, FAR)
        await host.settle()
        if crash:
            await host.save()
        inn.forget(FAR)
        for _n in range(2 if crash else 20):
            await host.deliver()
            await host.steward.look()
        inn.storage = inn.storage if crash else type(inn.storage)()
        heir = Host(inn)
        await heir.open(0, 1)
        inn.visit(PEOPLE[0])
        await heir.settle()
        hold_sums(saved_state.of(heir.unit, NOW), never_saw(inn, FAR, GUEST))
        outcomes = [(e.action, e.outcome) for e in await inn.audit.all()]
        assert outcomes == [("forget", "done")] * 2

    run(work)


@pytest.mark.parametrize("again", [False, True])
def test_a_past_that_comes_after_its_account_was_forgotten_is_subtracted(again: bool) -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = Host(inn)
        await host.open(0, 1)
        inn.crowd(40)
        inn.visit(FAR, 3)
        inn.visit(GUEST, 3)
        await host.settle()
        inn.login(GUEST, FAR)
        await host.hear()
        inn.forget(FAR)
        await host.deliver()
        for _n in range(2):
            await host.steward.look()
            await host.deliver()
        await host.steward.look()
        assert FAR not in saved_state.of(host.unit, NOW).owner
        await host.settle()
        if again:
            inn.storage = type(inn.storage)()
            host = Host(inn)
            await host.open(0, 1)
            await host.settle()
        assert [move["what"] for move in inn.moves()][:2] == ["merge", "handover"]
        hold_sums(saved_state.of(host.unit, NOW), never_saw(inn, FAR, GUEST))

    run(work)


@pytest.mark.parametrize("seed", range(6))
def test_however_pasts_were_put_together_sums_are_those_without_the_person(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    model, users = taught(dice, with_them=True)
    erase(model, users, "ann")
    wanted, others = taught(random.Random(seed), with_them=False)  # noqa: S311 - no secret
    assert by_name(model, model.world.items.seen) == by_name(wanted, wanted.world.items.seen)
    ours, theirs = (by_name(m, m.world.items.weight) for m in (model, wanted))
    assert ours.keys() == theirs.keys()
    for item, weights in ours.items():
        assert weights == pytest.approx(theirs[item])
    assert pairs(model) == pytest.approx(pairs(wanted), rel=1e-4)
    assert model.world.trend.repeats.tolist() == wanted.world.trend.repeats.tolist()
    assert sorted(users.ids.dump()[0]) == sorted(others.ids.dump()[0])


def taught(dice: random.Random, with_them: bool) -> tuple[Recommender, Users]:
    """Return a model of three who turn out to be one, and of others, or of the others alone."""
    model = Recommender(Shape(history=100), Pipeline())
    users = model.open()
    for n in range(150):
        user = dice.choice([*THREE, "eve", "bob", "cat"]) if n % 5 else "eve"
        item, merged = f"i{dice.randrange(15)}", dice.random() < 0.05
        if user not in THREE or with_them:
            model.learn(users, Events.choices([user], [item], [1.4e9 + 60 * n]))
        guest = dice.choice(THREE[1:])
        if merged and guest in users.ids:
            arrive(model, users, "ann", depart(model, users, guest))
    for guest in THREE[1:]:
        if guest in users.ids:
            erase(model, users, guest)
    return model, users


def by_name(model: Recommender, column: Any) -> dict[str, Any]:
    rows = zip(model.ids.names, column.tolist(), strict=False)
    return {name: row for name, row in rows if np.any(row)}


def pairs(model: Recommender) -> dict[tuple[str, str], float]:
    items, names = model.world.items, model.ids.names
    return {
        (name, names[other]): weight
        for slot, name in enumerate(names)
        for other, weight in zip(
            items.near[slot, : items.near_size[slot]].tolist(),
            items.near_weight[slot].tolist(),
            strict=False,
        )
    }
