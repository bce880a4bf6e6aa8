"""A restored state lives the same life, on this worker and on another one."""

import numpy as np
import pytest

from learners import frozen
from learners.recommender import Recommender
from learners.users import Shape, Users
from tests.learners_kit import PIPELINE, as_events, dangling, learn_all, seen_by, state_of, stream

WIDE = Shape(items=5_000, users=5_000)
NARROW = Shape(items=40, users=25, history=6, seen=32)
EVENTS = stream(3_000, users=60, items=120)
Lives = tuple[Recommender, Users]


def live(shape: Shape, events: list[tuple[str, str, float]]) -> Lives:
    model = Recommender(shape, PIPELINE)
    users = model.open()
    learn_all(model, users, as_events(events))
    return model, users


def restored(model: Recommender, users: Users, shape: Shape) -> Lives:
    items, of_users = (
        frozen.dump_items(model.pipeline, model.world, model.ids),
        frozen.dump_users(users, model.ids),
    )
    twin = Recommender(shape, PIPELINE)
    frozen.load_items(twin, items)
    twin_users = twin.open()
    frozen.load_users(twin_users, twin.ids, of_users)
    return twin, twin_users


def differing(a: dict[str, bytes], b: dict[str, bytes]) -> list[str]:
    return [k for k in a if a[k] != b[k]]


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("when", [0, 1, 777, 2_000])
def test_a_restored_state_lives_the_same_life(shape: Shape, when: int) -> None:
    model, users = live(shape, EVENTS[:when])
    model.world.items.dirty[:] = (
        False  # it is not restored: what waits is published when it changes
    )
    twin, twin_users = restored(model, users, shape)
    assert differing(state_of(model, users), state_of(twin, twin_users)) == []
    for events in (EVENTS[when : when + 500], EVENTS[when + 500 : when + 1_000]):
        one = learn_all(model, users, as_events(events))
        two = learn_all(twin, twin_users, as_events(events))
        for a, b in zip(one, two, strict=True):
            used = np.arange(a.lists.item.shape[1]) < a.lists.length[:, None]
            assert all((x == y).all() for x, y in zip(a.verdicts, b.verdicts, strict=True))
            assert (a.lists.length == b.lists.length).all()
            for x, y in zip(a.lists[1:5], b.lists[1:5], strict=True):
                assert (x[used] == y[used]).all()
    assert differing(state_of(model, users), state_of(twin, twin_users)) == []
    assert dangling(twin) == []


def test_users_find_their_items_where_another_worker_has_other_slots_for_them() -> None:
    model, users = live(WIDE, EVENTS[:500])
    other, _ = live(WIDE, [(u, i, t) for u, i, t in EVENTS[::-1] if i != "i3"])
    moved = other.open()
    frozen.load_users(moved, other.ids, frozen.dump_users(users, model.ids))
    assert moved.ids.dump() == users.ids.dump()
    for row in range(len(users.ids)):
        for column, size in (("history", "chosen"), ("listed", "length")):
            before = getattr(users.rows, column)[row, : getattr(users.rows, size)[row]]
            after = getattr(moved.rows, column)[row, : getattr(moved.rows, size)[row]]
            names = [model.ids.names[slot] for slot in before]
            assert [n for n in names if n != "i3"] == [other.ids.names[slot] for slot in after]
    for user in users.ids.dump()[0]:
        before = [pair for page in seen_by(model, users, user) for pair in page if pair[0] != "i3"]
        assert before == [pair for page in seen_by(other, moved, user) for pair in page]
    assert dangling(other) == []


def test_a_dump_is_not_changed_by_what_comes_later() -> None:
    model, users = live(NARROW, EVENTS[:500])
    before = state_of(model, users)
    copies = {k: bytes(bytearray(v)) for k, v in before.items()}
    learn_all(model, users, as_events(EVENTS[500:1_000]))
    assert differing(before, copies) == []


def test_a_dump_holds_only_rows_in_use() -> None:
    model, users = live(WIDE, EVENTS[:10])
    assert sum(map(len, state_of(model, users).values())) < 60_000
    assert sum(map(len, state_of(*live(WIDE, [])).values())) < 20_000


def test_a_state_with_more_than_there_is_room_for_now_is_cut_to_it_at_once() -> None:
    model, users = live(WIDE, EVENTS)
    assert min(len(model.ids), len(users.ids)) > NARROW.users
    twin, twin_users = restored(model, users, WIDE._replace(items=40, users=25))
    ts = EVENTS[-1][2]
    learn_all(twin, twin_users, as_events([("newcomer", "new item", ts), ("newcomer", "tea", ts)]))
    assert len(twin.ids) <= 40
    assert len(twin_users.ids) <= 25
    assert dangling(twin) == []
