"""What a message may hold, and the reason for which one is dead."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import LATEST_AHEAD_S, REASONS, Interaction
from contracts.settings import Settings
from streams.decode import DeadMessage, EventDecoder, checked_id, checked_time
from streams.interactions.intake import Intake
from tests.streams_kit import NOW, batch, encode, event, record

DAY = 86_400.0
PREDICTORS = {"unknown_predictor", "no_features", "predictor_failed", "predictor_out"}
WORKER = {"learner_failed", "replayed", "not_signed"}
LONG = {"ascii": "x" * 257, "two bytes each": "é" * 129, "integer": 10**257, "huge": 10**4000}


def text(**fields: str) -> bytes:
    """Return an event whose given fields are raw JSON."""
    whole = {k: json.dumps(v) for k, v in event().items()} | fields
    return ("{" + ",".join(f'"{k}":{v}' for k, v in whole.items()) + "}").encode()


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


DEAD: dict[str, list[bytes | None]] = {
    "null_value": [None],
    "too_large": [encode(event(context={"a": "x" * 70_000})), b"x" * 65_537],
    "not_utf8": [
        b"\xff\xfe",
        encode(event()).decode().encode("utf-16"),
        text(user='"ann"').replace(b"ann", b"\xff"),
        text(user='"ann"').replace(b"ann", b"\xed\xa0\x80"),
        text(something_else='"@"').replace(b"@", b"\xc3\x28"),
        text(context='{"a":"@"}').replace(b"@", b"\x80"),
    ],
    "not_json": [
        b"",
        b"   ",
        b"{",
        b"{'user': 'ann'}",
        encode(event()) + b"x",
        encode(event())[:-1],
        b"\xef\xbb\xbf" + encode(event()),
        text(ts="NaN"),
        text(ts="Infinity"),
        text(value="-Infinity"),
        text(user='"\\ud800"'),
        text(user='"\\ud800x"'),
        text(user='"\x00"'),
        text(context=nested(5_000)),
        text(something_else=nested(5_000)),
        text(something_else="[" * 20_000 + "]" * 20_000),
    ],
    "not_object": [b"null", b"5", b'"ann"', b"[]", b"true", b"[" * 20_000],
    "missing_field": [encode({k: v for k, v in event().items() if k != gone}) for gone in event()],
    "wrong_type": [
        text(user="1.5"),
        text(user="1.0"),
        text(user="true"),
        text(user="null"),
        text(user="[]"),
        text(user="9" * 5_000),
        text(item="{}"),
        text(event_id="null"),
        text(action="5"),
        text(ts='"1700000000"'),
        text(ts="null"),
        text(ts="true"),
        text(ts="1e999"),
        text(ts="9" * 5_000),
        text(value='"5"'),
        text(value="1e999"),
        text(context="[]"),
        text(context='{"a":' + "9" * 5_000 + "}"),
        text(session="1.5"),
    ],
    "empty_id": [
        encode(event() | {f: ""})
        for f in ("user", "item", "event_id", "action", "session", "impression")
    ],
    "long_id": [
        encode(event() | {f: v}) if isinstance(v, str) else text(**{f: str(v)})
        for f in ("user", "item", "event_id", "session", "impression")
        for v in LONG.values()
    ],
    "ts_in_milliseconds": [text(ts=str(NOW * 1000)), text(ts="946684800000")],
    "ts_in_future": [
        text(ts=str(NOW + DAY + 1)),
        text(ts=str(NOW * 1_000_000)),
        text(ts="9" * 300),
    ],
    "ts_too_old": [text(ts="946684799.9"), text(ts="0"), text(ts="-1e300")],
}


def test_every_reason_that_applies_is_tried_here_or_with_the_intake() -> None:
    assert {*DEAD, "no_origin"} == set(REASONS) - PREDICTORS - WORKER


@pytest.mark.parametrize("reason", DEAD)
def test_a_message_is_dead_for_the_reason_that_is_told(reason: str) -> None:
    intake = Intake(Settings(partitions=1), 0, lambda _: False)
    taken = intake.take(batch([record(value, n) for n, value in enumerate(DEAD[reason])]))
    letters = [json.loads(m.value or b"") for m in taken.messages]
    assert [(m["reason"], m["offset"]) for m in letters] == [
        (reason, n) for n in range(len(DEAD[reason]))
    ]
    assert [m.headers for m in taken.messages] == [[("reason", reason.encode())]] * len(letters)
    assert taken.user == []
    assert dict(taken.outcomes) == {"dead_letter": len(letters)}
    assert dict(taken.reasons) == {reason: len(letters)}


def decoded(value: bytes) -> Interaction:
    found: Interaction = EventDecoder(Interaction, 65_536).decode(value)
    return found


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    value = text(more='{"a":[1,{"b":"é\\ud83d\\ude00"}]}', count="9" * 400, price="1e999")
    assert decoded(value) == decoded(encode(event()))


def test_white_space_around_and_escapes_within_do_no_harm() -> None:
    assert decoded(b" \r\n\t" + text(user='"\\u0061nn"') + b"\n ").user == "ann"


@pytest.mark.parametrize("id_", [0, 7, -7, 2**63, 2**64, -(2**70), 10**255])
def test_an_integer_id_becomes_its_decimal_string(id_: int) -> None:
    found = decoded(text(user=str(id_)))
    assert checked_id(found.user, "user") == str(id_)


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=300) | st.integers(-(10**300), 10**300))
def test_an_id_is_measured_in_bytes(id_: Any) -> None:
    if len(str(id_).encode(errors="surrogatepass")) <= 256:
        assert checked_id(id_, "user") == str(id_)
    else:
        with pytest.raises(DeadMessage) as dead:
            checked_id(id_, "user")
        assert dead.value.dead.reason == "long_id"
        assert len(dead.value.dead.detail) < 100


@pytest.mark.parametrize("ahead", [-5.0, 0.0, 5.0, LATEST_AHEAD_S])
def test_the_time_is_the_events_own_but_never_later_than_the_records(ahead: float) -> None:
    assert checked_time(NOW + ahead, NOW) == NOW + min(ahead, 0.0)


@settings(max_examples=300)
@given(st.floats(allow_nan=False), st.integers(0, 4_000_000_000))
def test_any_time_is_taken_or_dead_for_a_reason(ts: float, at: int) -> None:
    try:
        assert 946_684_800 <= checked_time(ts, float(at)) <= at
    except DeadMessage as error:
        assert error.dead.reason in {"ts_in_milliseconds", "ts_in_future", "ts_too_old"}  # noqa: PT017
