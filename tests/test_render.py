"""The JSON that readers get says exactly what was ranked, whatever the ids are."""

from typing import Any

import hiredis
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import keys
from learners.reasons import Reason
from state.lists import Lists
from state.render import FIRST_BYTES, REASONS, Names, Ranked, entries

ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NASTY = st.text(st.sampled_from('"\\\x00\x1f\x7f\u2028é😀:%/'), min_size=1, max_size=12)
IDS = ANY | NASTY
SCORES = st.floats(0.0, 2.0)
REASON = st.integers(0, len(REASONS) - 1)
ROW = st.lists(st.tuples(st.integers(0, 99), SCORES, REASON, st.integers(0, 99)), max_size=8)
Row = list[tuple[int, float, int, int]]
PAIRS = st.lists(st.tuples(st.integers(0, 40), IDS), max_size=80)


def ranked(rows: list[Row], ids: int) -> Ranked:
    """Return rows as arrays, slots taken modulo the number of ids."""
    shape = (len(rows), max([1, *map(len, rows)]))
    items, via = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    why = np.zeros(shape, np.int32)
    scores = np.full(shape, np.nan, np.float32)
    for r, row in enumerate(rows):
        for k, (item, score, reason, own) in enumerate(row):
            items[r, k], scores[r, k], why[r, k] = item % ids, score, reason
            via[r, k] = own % ids if REASONS[reason][1] else -1
    return Ranked(items, scores, np.array([len(row) for row in rows], np.int32), why, via)


def expected(names: list[str], lists: Ranked, row: int) -> list[dict[str, Any]]:
    assert lists.why is not None
    assert lists.via is not None
    found = []
    for k in range(lists.lengths[row]):
        name, own = names[lists.items[row, k]], int(lists.via[row, k])
        before, after = REASONS[lists.why[row, k]]
        score = pytest.approx(float(lists.scores[row, k]), abs=5.1e-7)
        because = before + (names[own] if after else "") + after
        found.append({"item": name, "score": score, "because": because})
    return found


def parsed(command: bytes) -> tuple[str, Any, int]:
    reader = hiredis.Reader()
    reader.feed(command)
    verb, key, value, ex, age = reader.gets()
    assert (verb, ex) == (b"SET", b"EX")
    return key.decode(), msgspec.json.decode(value), int(age)


@settings(max_examples=200, deadline=None)
@given(st.lists(IDS, min_size=1, max_size=30, unique=True), st.lists(ROW, max_size=6), IDS)
def test_a_list_parses_to_what_was_ranked(names: list[str], rows: list[Row], user: str) -> None:
    lists, wanted = Lists("hw:", 60), ranked(rows, len(names))
    lists.names.put(range(len(names)), names)
    users = [f"{user}{r}" for r in range(len(rows))]
    times = [1.5 + r for r in range(len(rows))]
    commands = lists.recommendations(wanted, users, range(7, 7 + len(rows)), times)
    for r, command in enumerate(commands):
        key, value, age = parsed(command)
        assert key == keys.REC.at("hw:", user=users[r])
        assert age == 60
        items = expected(names, wanted, r)
        assert value == {"user": users[r], "items": items, "version": 7 + r, "ts": times[r]}


def test_an_item_that_was_drawn_is_told_with_its_odds() -> None:
    lists, rows = Lists("hw:", 60), ranked([[(0, 0.5, 0, 0), (1, 0.25, int(Reason.LIKE), 0)]], 2)
    lists.names.put(range(2), ["tea", "jam"])
    odds = np.array([[0.0, 0.125]], np.float32)
    (command,) = lists.recommendations(rows._replace(odds=odds), ["ann"], [1], [1.5])
    tea, jam = parsed(command)[1]["items"]
    assert "explored" not in tea
    assert jam == {
        "item": "jam", "score": 0.25, "because": "like tea that you chose", "explored": 0.125
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(IDS, min_size=1, max_size=30, unique=True), ROW)
def test_similar_and_trending_items_parse_to_what_was_ranked(names: list[str], row: Row) -> None:
    lists, wanted = Lists("hw:", 60), ranked([row], len(names))
    lists.names.put(range(len(names)), names)
    items = [{k: e[k] for k in ("item", "score")} for e in expected(names, wanted, 0)]
    wanted = wanted._replace(why=None)
    (command,) = lists.similar(wanted, [names[0]], 2.5)
    similar = {"item": names[0], "items": items, "ts": 2.5}
    assert parsed(command) == (keys.SIM.at("hw:", item=names[0]), similar, 60)
    assert parsed(lists.trending(wanted, 2.5)) == ("hw:top", {"items": items, "ts": 2.5}, 60)


@settings(max_examples=100, deadline=None)
@given(st.lists(PAIRS, max_size=6), st.integers(1, 4_000))
def test_renamed_slots_have_their_new_names_also_after_the_pool_was_compacted(
    changes: list[list[tuple[int, str]]], longer: int
) -> None:
    # Names of up to 48,000 bytes fill the pool's first 65,536 within a few changes.
    names, now = Names(), [""] * 41
    for change in changes:
        for slot, name in change:
            now[slot] = name * longer
        names.put([slot for slot, _ in change], now)
        used = sorted({slot for slot, _ in change})
        items = np.array([used or [0]], np.int32)
        scores = np.zeros(items.shape, np.float32)
        (body,) = entries(names, Ranked(items, scores, np.array([len(used)])))
        assert [e["item"] for e in msgspec.json.decode(body)] == [now[slot] for slot in used]


def test_a_pool_that_is_renamed_for_ever_stays_small() -> None:
    names = Names()
    for n in range(3_000):
        names.put([n % 50], [f"a name of some length, number {n}"] * 50)
    assert len(names.ids.pool) == FIRST_BYTES
    assert len(names.ids.size) == 1024


def test_more_slots_than_there_was_room_for_are_found() -> None:
    names, many = Names(), [f"i{n}" for n in range(5_000)]
    for start in range(0, 5_000, 700):
        names.put(range(start, min(start + 700, 5_000)), many[: start + 700])
    items = np.arange(5_000, dtype=np.int32)[None, :]
    (body,) = entries(names, Ranked(items, np.zeros((1, 5_000)), np.array([5_000])))
    assert [e["item"] for e in msgspec.json.decode(body)] == many


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.0, "0.000000"),
        (1.0, "1.000000"),
        (0.9999996, "1.000000"),
        (1.2345674, "1.234567"),
        (12345.5, "12345.500000"),
        (1e30, "1000000000.000000"),
        (-1.0, "0.000000"),
    ],
)
def test_a_score_has_six_decimals_and_no_exponent(score: float, text: str) -> None:
    names = Names()
    names.put([0], ["tea"])
    one = Ranked(np.zeros((1, 1), np.int32), np.array([[score]]), np.array([1]))
    (body,) = entries(names, one)
    assert body == b'[{"item":"tea","score":%b}]' % text.encode()


def test_every_reason_that_a_learner_gives_has_its_words() -> None:
    through_an_item = {Reason.WITH, Reason.AFTER, Reason.OTHERS, Reason.LIKE}
    assert len(REASONS) == len(Reason)
    assert {reason for reason in Reason if REASONS[reason][1]} == through_an_item


def test_a_key_has_its_colons_and_percent_signs_encoded() -> None:
    lists = Lists("hw:", 60)
    none = ranked([[]], 1)
    (command,) = lists.recommendations(none, ["a:b%c:é"], [1], [0.0])
    assert parsed(command)[0] == "hw:rec:a%3Ab%25c%3Aé"
    (command,) = lists.similar(none._replace(why=None), ["x:y"], 0.0)
    assert parsed(command)[0] == "hw:sim:x%3Ay"
