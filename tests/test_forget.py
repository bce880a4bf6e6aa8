"""Who is forgotten is in no state any more, whatever dies, is replayed or is taken back."""

import random

import pytest
from faust.types import TP

from contracts.control import alias
from streams.interactions.messages import Origins
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere
from tests import saved_state
from tests.forget_world import (
    ANN,
    PEOPLE,
    SHORT,
    TWO,
    Town,
    hold_forgotten,
    hold_nowhere,
    never_saw,
    tombstones_of,
    worker_of,
)
from tests.orders_world import A, B, Places, run
from tests.streams_kit import NOW


def test_a_person_is_gone_and_sums_are_as_if_the_person_had_never_come() -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        town.crowd(150)
        await worker.settle()
        await worker.save()
        order = town.forget()
        await worker.settle()
        hold_forgotten(worker, town, never_saw(town))
        (entry,) = [e for e in await town.audit.all() if e.id == order]
        visits = sum(r.key == ANN.encode() for r in town.logs[TP(A, 0)])
        counts = entry.counts["choices subtracted"], entry.counts["event ids"]
        assert counts == (visits, visits)
        assert entry.person == alias(TWO.snapshot_key, ANN)

    run(work)


@pytest.mark.parametrize("lost", ["nothing", "the mark's worker", "all snapshots"])
def test_a_replay_never_learns_the_person_again(lost: str) -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        town.crowd(60)
        await worker.settle()
        await worker.save()
        town.crowd(60)
        town.forget()
        if lost == "the mark's worker":
            await worker.fetch(0, 500)
            await worker.deliver()
            await worker.steward.look()
        else:
            await worker.settle()
            town.crowd(0)
        if lost == "all snapshots":
            town.storage = type(town.storage)()
        heir = worker_of(town)
        await heir.open(0, 1)
        await heir.settle()
        await heir.save()
        hold_forgotten(heir, town, never_saw(town))

    run(work)


def test_who_returns_is_learned_from_then_on() -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        town.crowd(100)
        await worker.settle()
        town.forget()
        await worker.settle()
        place = len(town.logs[TP(A, 0)])
        town.visit(ANN, 4)
        town.crowd(40)
        await worker.settle()
        found, wanted = saved_state.of(worker.unit, NOW), never_saw(town, after=place)
        assert found.history == wanted.history
        town.storage = type(town.storage)()
        heir = worker_of(town)
        await heir.open(0, 1)
        await heir.settle()
        assert saved_state.of(heir.unit, NOW).history == wanted.history
        assert saved_state.of(heir.unit, NOW).seen == wanted.seen

    run(work)


def test_no_snapshot_that_knew_the_person_is_kept_to_go_back_to() -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        for _round in range(4):
            town.crowd(30)
            await worker.settle()
            await worker.save()
        assert len(await worker.store.all("0")) > 2
        town.forget()
        await worker.settle()
        assert [len(await worker.store.all(name)) for name in ("0", "shared")] == [1, 1]
        assert len(await worker.store.all("1")) > 2
        hold_nowhere(worker, town)

    run(work)


def test_the_log_tells_what_a_short_history_does_not() -> None:
    async def work(_: Places) -> None:
        for exact in (False, True):
            town = Town()
            worker = worker_of(town, SHORT)
            await worker.open(0, 1)
            town.crowd(200)
            await worker.settle()
            order = town.forget(exact=exact)
            await worker.settle()
            (entry,) = [e for e in await town.audit.all() if e.id == order]
            assert entry.counts["older choices not looked for"] == int(not exact)
            hold_nowhere(worker, town)
            if exact:
                hold_forgotten(worker, town, never_saw(town, SHORT))

    run(work)


def test_what_the_person_did_while_frozen_is_not_subtracted() -> None:
    async def work(_: Places) -> None:
        for settings in (TWO, SHORT):
            town = Town()
            worker = worker_of(town, settings)
            await worker.open(0, 1)
            town.crowd(60)
            await worker.settle()
            before = never_saw(town, settings)
            town.give("freeze")
            await worker.settle()
            town.crowd(60)
            await worker.settle()
            town.forget(exact=True)
            await worker.settle()
            found = saved_state.of(worker.unit, NOW)
            assert {i: n for i, n in found.seen.items() if n} == before.seen
            hold_nowhere(worker, town)

    run(work)


def test_an_event_that_was_still_on_its_way_to_the_right_partition_is_void() -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town)
        await worker.open(0, 1)
        town.crowd(20)
        stray = town.record(ANN, len(town.logs[TP(A, 1)]))
        town.logs[TP(A, 1)].append(PlainRecord(*stray[:3], b"x"))
        town.forget()
        await worker.deliver()
        await worker.steward.look()
        header = [("origin", Origins(TWO).header(1, stray.offset, ANN))]
        own = town.logs[TP(B, 0)]
        own.append(PlainRecord(len(own), stray.timestamp, stray.value, ANN.encode(), header))
        await worker.fetch(0, 500)
        for _round in range(30):
            await worker.deliver()
            await worker.steward.look()
            await worker.fetch(0, 500)
            await worker.fetch(0, 500, B)
        assert ANN not in saved_state.of(worker.unit, NOW).owner

    run(work)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_between_the_person_is_forgotten(seed: int) -> None:
    async def work(_: Places) -> None:
        town = Town(seed)
        dice = random.Random(seed)  # noqa: S311 - no secret
        worker = worker_of(town)
        await worker.open(0, 1)
        given = dice.randrange(20, 50)
        for step in range(80):
            if step == given:
                town.forget()
            what = dice.random()
            if what < 0.4 and step < given:
                town.crowd(dice.randrange(6))
            elif what < 0.4:
                town.visit(dice.choice(PEOPLE))
            elif what < 0.7:
                await worker.fetch(dice.randrange(2), dice.randrange(1, 9))
            elif what < 0.8:
                await worker.deliver()
                await worker.steward.look()
            elif what < 0.9:
                await worker.save()
            elif what < 0.95:
                worker = worker_of(town)
                await worker.open(0, 1)
        await worker.settle()
        await worker.save()
        hold_forgotten(worker, town, never_saw(town))

    run(work)


def test_a_rebuild_makes_anew_what_is_no_sum_and_a_killed_worker_begins_it_again() -> None:
    async def work(_: Places) -> None:
        town = Town()
        worker = worker_of(town, SHORT)
        await worker.open(0, 1)
        for _n in range(150):
            town.visit(town.random.choice([*PEOPLE[:5], ANN]))  # of one partition: one order of all
        await worker.settle()
        await worker.save()
        town.forget()
        town.give("rollback", since="replay")
        for _n in range(3):
            await worker.deliver()
            await worker.steward.look()
        heir = worker_of(town, SHORT)
        await heir.open(0, 1)
        await heir.settle()
        await heir.save()
        unit = Interactions(SHORT, NoTelemetry(), send_nowhere, send_nowhere)
        records = [r for r in town.logs[TP(A, 0)] if r.key != ANN.encode()]
        unit.open(0).handle(Batch(A, 0, records))
        assert heir.unit.shared_dump() == unit.shared_dump()
        hold_forgotten(heir, town, never_saw(town, SHORT))
        assert {e.outcome for e in await town.audit.all()} == {"done"}

    run(work)


def test_a_tombstone_becomes_one_order_by_whoever_has_the_partition() -> None:
    async def work(_: Places) -> None:
        town = Town()
        town.crowd(80)
        stones = [PlainRecord(7, 5, None, ANN.encode()), PlainRecord(8, 5, b"{}", b"eve")]
        for own in ((1,), (0,), (0, 1)):  # another partition's worker, the owner, the next one
            worker = worker_of(town)
            await worker.open(*own)
            keeper = tombstones_of(worker, town)
            await keeper.take(stones)
            await keeper.look()
            assert sum(b'"forget"' in (r.value or b"") for r in town.control) == int(0 in own)
        await worker.settle()
        await worker.save()
        hold_forgotten(worker, town, never_saw(town))
        assert [(e.id, e.outcome) for e in await town.audit.all()] == [("users-7-5", "done")]

    run(work)
