"""What was saved after orders is what the log says, for the fold obeys them where workers did."""

import random
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from faust.types import TP

from contracts.settings import Settings
from state import versions
from streams.shards import PlainRecord
from streams.worker.loader import SHARED
from tests.forget_world import ANN, SHORT, TWO, Town, worker_of
from tests.hindsight_world import Village, differing, looked_back
from tests.orders_world import A, Living, Places, run

ONE = msgspec.structs.replace(TWO, partitions=1)
Give = Callable[[Town, str], object]

ORDERS: dict[str, Give] = {
    "freeze": lambda town, _: town.give("freeze"),
    "reset of one": lambda town, _: town.give("reset", learner="co_occurrence"),
    "reset of all": lambda town, _: town.give("reset", learner="lists"),
    "skip": lambda town, good: town.give("rollback", version=good, since="skip"),
    "replay": lambda town, good: town.give("rollback", version=good, since="replay"),
    "refused": lambda town, _: town.give("reset", learner="the weather"),
    "forget": lambda town, _: town.forget(),
    "forget exactly": lambda town, _: town.forget(exact=True),
}


def partitions(settings: Settings) -> tuple[int, ...]:
    return tuple(range(settings.partitions))


async def lived(worker: Living, town: Town, n: int = 60) -> str:
    """Let a worker learn and save; return the version's name."""
    town.crowd(n)
    await worker.settle()
    await worker.save()
    return (await worker.store.all(SHARED))[0].version


async def begun(settings: Settings) -> tuple[Town, Living, str]:
    """Return a town of one partition or two, its worker, and a version of it."""
    town = Town() if settings.partitions == 2 else Village()
    worker = worker_of(town, settings)
    await worker.open(*partitions(settings))
    return town, worker, await lived(worker, town)


def holds(work: Callable[[], Awaitable[None]]) -> None:
    async def go(_: Places) -> None:
        await work()

    run(go)


@pytest.mark.parametrize("settings", [ONE, TWO, SHORT], ids=["one", "two", "short"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_state_that_has_obeyed_is_what_the_log_says(order: str, settings: Settings) -> None:
    async def work() -> None:
        town, worker, good = await begun(settings)
        town.crowd(30)
        if "forget" in order:  # with lag, events of the person would be passed over
            await worker.settle()
        ORDERS[order](town, good)
        await worker.settle()
        await lived(worker, town)
        if order == "freeze":
            town.give("thaw")
            await worker.settle()
            await lived(worker, town)
        report = await looked_back(worker, town, settings)
        assert differing(report) == []
        whole = {f.part for f in report.findings if f.shard == SHARED}
        assert whole == ({"items"} if settings is ONE else whole - {"items"})

    holds(work)


def test_what_an_order_would_explain_but_nobody_gave_is_found() -> None:
    async def work() -> None:
        town, worker, _ = await begun(ONE)
        worker.unit.clear("co_occurrence")
        await lived(worker, town)
        assert [found[:3] for found in differing(await looked_back(worker, town, ONE))] == [
            (SHARED, "items", "differs")
        ]

    holds(work)


def test_an_order_is_not_obeyed_before_the_version_had_obeyed_it() -> None:
    async def work() -> None:
        town, worker, old = await begun(ONE)
        town.give("reset", learner="lists")
        await worker.settle()
        await lived(worker, town)
        for version in (old, ""):
            assert differing(await looked_back(worker, town, ONE, version)) == []

    holds(work)


def test_a_rollback_to_a_version_that_is_gone_leaves_only_items_open() -> None:
    async def work() -> None:
        town, worker, good = await begun(ONE)
        town.crowd(30)
        town.give("rollback", version=good, since="skip")
        await worker.settle()
        while good in {v.name for v in await versions.read(worker.store)}:
            await lived(worker, town, 5)
        found = differing(await looked_back(worker, town, ONE))
        assert {(shard, outcome) for shard, _, outcome, _ in found} == {(SHARED, "cannot say")}
        assert good in found[0][3]

    holds(work)


def test_a_rollback_to_a_version_that_never_was_changes_nothing_and_is_equal() -> None:
    async def work() -> None:
        town, worker, _ = await begun(ONE)
        town.give("rollback", version="yesterday", since="skip")
        await worker.settle()
        await lived(worker, town)
        assert differing(await looked_back(worker, town, ONE)) == []

    holds(work)


@pytest.mark.parametrize("order", ["reset of all", "skip", "forget", "freeze"])
def test_orders_are_obeyed_from_a_version_on_where_the_log_has_no_begin(order: str) -> None:
    async def work() -> None:
        town, worker, good = await begun(TWO)
        ORDERS[order](town, good)
        await worker.settle()
        await lived(worker, town)
        report = await looked_back(worker, town, TWO, first=10)
        assert differing(report) == []
        assert report.begun_at != "the log's begin"

    holds(work)


def test_a_rebuild_is_not_folded_from_a_version_before_it() -> None:
    async def work() -> None:
        town, worker, good = await begun(ONE)
        town.give("rollback", since="replay")
        await worker.settle()
        await lived(worker, town)
        report = await looked_back(worker, town, ONE, first=10)
        assert differing(report) == []
        assert report.begun_at not in (good, "the log's begin")

    holds(work)


def test_orders_that_are_no_longer_in_control_are_missed() -> None:
    async def work() -> None:
        town, worker, _ = await begun(ONE)
        town.give("reset", learner="lists")
        await worker.settle()
        await lived(worker, town)
        town.control.clear()
        found = differing(await looked_back(worker, town, ONE))
        assert found == [(SHARED, "items", "cannot say", found[0][3])]
        assert "`control`" in found[0][3]

    holds(work)


def test_what_a_worker_passed_over_before_it_came_to_the_place_is_not_taken_for_a_fault() -> None:
    async def work() -> None:
        town, worker, _ = await begun(ONE)
        town.visit(ANN, 5)
        town.crowd(30)
        town.forget()
        await worker.deliver()
        await worker.fetch(0, 20)
        await worker.save()
        report = await looked_back(worker, town, ONE)
        assert {outcome for _, _, outcome, _ in differing(report)} == {"cannot say"}

    holds(work)


def test_an_event_that_was_put_aside_is_put_aside_by_the_fold_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from streams.interactions.shard import InteractionsShard

    handle = InteractionsShard.handle

    def raises(shard: InteractionsShard, batch: object) -> object:
        if any(b"poison" in (r.value or b"") for r in batch.records):  # type: ignore[attr-defined]
            raise ValueError("poison")
        return handle(shard, batch)  # type: ignore[arg-type]

    async def work() -> None:
        town, worker, _ = await begun(ONE)
        own = town.logs[TP(A, 0)]
        own.append(PlainRecord(len(own), 0, b"poison", b"x"))
        await lived(worker, town)
        assert differing(await looked_back(worker, town, ONE)) == []

    monkeypatch.setattr(InteractionsShard, "handle", raises)
    holds(work)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happened_no_version_differs(seed: int) -> None:
    async def work() -> None:
        settings = (ONE, TWO)[seed % 2]
        dice = random.Random(seed)  # noqa: S311 - no secret
        town, worker, good = await begun(settings)
        for _ in range(60):
            what = dice.random()
            if what < 0.1:
                ORDERS[dice.choice([o for o in ORDERS if o != "replay"])](town, good)
            elif what < 0.4:
                town.crowd(dice.randrange(9))
            elif what < 0.7:
                await worker.fetch(dice.choice(partitions(settings)), dice.randrange(1, 9))
            elif what < 0.85:
                await worker.deliver()
                await worker.steward.look()
            elif what < 0.97:
                await worker.save()
            else:
                worker = worker_of(town, settings)
                await worker.open(*partitions(settings))
        await worker.settle()
        await worker.save()
        for version in await versions.read(worker.store):
            if version.complete:
                report = await looked_back(worker, town, settings, version.name)
                assert "differs" not in {found[2] for found in differing(report)}, report

    holds(work)
