"""A state that moves to another log skips no order of it, and obeys no old one again."""

from collections.abc import Mapping

import pytest

from contracts.control import MARK, Action, Control
from contracts.errors import StateRefused
from contracts.topics import CONTROL
from state.manifest import Manifest
from streams.control.schedule import Schedule
from streams.kafka.log_ends import Bounds
from streams.worker import adopt_orders
from streams.worker.loader import SHARED
from tests.orders_world import A, B, Living, Places, run

ENDS = {(topic, p): Bounds(0, 10) for topic in (A, B) for p in (0, 1)}


def schedule(*told: tuple[int, str, Action, int, float]) -> Schedule:
    """Return orders and marks of all partitions: position, id, action, offset, time."""
    found = Schedule()
    for position, id_, action, offset, ts in told:
        at = {A: {0: offset, 1: offset}, B: {0: 0, 1: 0}}
        found.add(position, Control(id_, action, at, ts))
    return found


def saved(position: int) -> dict[str, Manifest]:
    """Return snapshots that have obeyed the orders before a position, at offset 10."""
    found: dict[str, Manifest] = {}

    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        for partition in (0, 1):
            places.produce(partition, "tea", 10)
        await worker.settle()
        for owned in worker.owned_shards:
            owned.obey(position - 1)
        await worker.save()
        found.update({name: (await worker.store.all(name))[0] for name in ("0", "1", SHARED)})

    run(work)
    return found


def obeyed(manifests: Mapping[str, Manifest]) -> set[int]:
    return {at for m in manifests.values() for at in m.offsets[CONTROL.name].values()}


ONE_ORDER = [(4, "a", "reset", 3, 1.0), (5, "a", MARK, 7, 1.0)]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (ONE_ORDER, 5),  # mirrored: the last that it has obeyed is there
        ([*ONE_ORDER, (6, "b", "freeze", 10, 2.0)], 5),  # and one that comes after
        ([], 0),  # a `control` that is new
        ([(0, "b", "freeze", 10, 2.0)], 0),  # or has only what nobody has obeyed yet
        ([(4, "b", "freeze", 10, 2.0)], 0),  # though it stands where ours stood
    ],
)
def test_orders_that_are_there_are_obeyed_once(
    told: list[tuple[int, str, Action, int, float]], wanted: int
) -> None:
    assert obeyed(adopt_orders.same(saved(5), schedule(*told))) == {wanted}


@pytest.mark.parametrize(
    "told",
    [
        [(0, "b", "reset", 3, 1.0), (1, "b", MARK, 7, 1.0)],  # of another worker, on these events
        [(4, "b", "reset", 3, 1e12), (5, "b", MARK, 7, 1.0)],  # the same, given after the version
    ],
)
def test_orders_of_others_from_where_the_state_has_been_are_refused(
    told: list[tuple[int, str, Action, int, float]],
) -> None:
    with pytest.raises(StateRefused, match="mirror all of it"):
        adopt_orders.same(saved(5), schedule(*told))


def test_a_state_without_orders_obeys_all_that_are_there() -> None:
    found = adopt_orders.same(saved(0), schedule((0, "b", "reset", 3, 1.0), (1, "b", MARK, 7, 1.0)))
    assert obeyed(found) == {0}


def test_new_topics_with_orders_about_old_ones_are_refused() -> None:
    adopt_orders.check_start(saved(5), schedule((0, "b", "freeze", 10, 1.0)), ENDS)
    with pytest.raises(StateRefused, match="order b in 'control' holds beyond the end"):
        adopt_orders.check_start(saved(5), schedule((0, "b", "freeze", 11, 1.0)), ENDS)
