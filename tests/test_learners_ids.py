"""Ids become slots, bounded; what is dumped is restored to the last slot."""

import pickle
from collections import OrderedDict

from hypothesis import given, settings
from hypothesis import strategies as st

from learners.ids import Ids

NAMES = st.text("abcdefgh", min_size=1, max_size=2)


def restored(ids: Ids) -> Ids:
    twin = Ids(ids.capacity)
    twin.load(*ids.dump())
    return twin


@settings(max_examples=200)
@given(st.lists(NAMES, max_size=60), st.integers(1, 6))
def test_the_least_recently_used_goes_first(names: list[str], capacity: int) -> None:
    ids, want, gone = Ids(capacity), OrderedDict[str, None](), 0
    for name in names:
        new = name not in want
        if new and len(want) == capacity:
            want.popitem(last=False)
            gone += 1
        want[name] = None
        want.move_to_end(name)
        slots, newcomers = ids.map_in_turn([name])
        assert ids.names[slots[0]] == name
        assert newcomers.tolist() == [new]
    assert ids.dump()[0] == list(want)
    assert ids.evicted == gone
    assert len(ids) == len(set(ids.dump()[1])) <= capacity
    assert len(ids.names) <= capacity


@settings(max_examples=200)
@given(st.lists(NAMES, max_size=60), st.integers(1, 6), st.integers(1, 9))
def test_mapping_a_batch_is_mapping_one_by_one(names: list[str], capacity: int, cut: int) -> None:
    one, many = Ids(capacity), Ids(capacity)
    singly = [one.map_in_turn([name]) for name in names]
    at_once = [many.map_in_turn(names[k : k + cut]) for k in range(0, len(names), cut)]
    assert [int(s[0]) for s, _ in singly] == [int(s) for slots, _ in at_once for s in slots]
    assert [bool(n[0]) for _, n in singly] == [bool(n) for _, news in at_once for n in news]
    assert one.dump() == many.dump()


@settings(max_examples=200)
@given(st.lists(NAMES, max_size=40), st.lists(NAMES, max_size=40), st.integers(1, 9))
def test_a_restored_map_gives_newcomers_the_same_slots(
    before: list[str], after: list[str], capacity: int
) -> None:
    ids = Ids(capacity)
    for name in before:
        if len(ids.map_while_room([name])) == 0:
            ids.drop(ids.oldest(3))
    twin = restored(ids)
    assert twin.dump() == ids.dump()
    assert ids.map_in_turn(after)[0].tolist() == twin.map_in_turn(after)[0].tolist()
    assert twin.dump() == ids.dump()


def test_a_full_map_stops_at_the_first_stranger() -> None:
    ids = Ids(2)
    assert ids.map_while_room(["tea", "jam", "tea", "oat", "tea"]).tolist() == [0, 1, 0]
    assert ids.map_while_room(["oat"]).tolist() == []
    assert "oat" not in ids


def test_looking_up_notes_no_use() -> None:
    ids = Ids(3)
    ids.map_in_turn(["tea", "jam", "oat"])
    before = ids.dump()
    assert ids.find("tea") == 0
    assert ids.find("pie") == -1
    assert ids.find_all(["oat", "pie", "tea"]).tolist() == [2, -1, 0]
    assert ids.dump() == before


def test_whoever_follows_the_names_hears_of_every_slot_that_changed() -> None:
    ids = Ids(2)
    ids.map_in_turn(["tea", "jam"])
    assert ids.follow() == [0, 1]
    ids.map_in_turn(["jam", "oat"])
    assert [ids.names[slot] for slot in ids.follow()] == ["oat"]
    ids.load(*ids.dump())
    assert len(ids.follow()) == 2, "a state that was loaded may have other names everywhere"


def test_changes_that_nobody_follows_are_not_kept() -> None:
    ids = Ids(2)
    ids.map_in_turn(["tea", "jam"])
    before = len(pickle.dumps(ids))
    ids.map_in_turn(["tea", "jam", "oat"] * 1_000)
    assert len(pickle.dumps(ids)) <= before + 100
