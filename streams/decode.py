"""Decode: bytes become events, or a dead letter's reason.

The fast path is one msgspec call per message; only a message that fails it is looked at again,
to say what is wrong with it.
"""

from typing import Any, NamedTuple, TypeVar

import msgspec

from contracts.events import EARLIEST_TS, LATEST_AHEAD_S, MAX_ID_BYTES, Id

Event = TypeVar("Event", bound=msgspec.Struct)
SAFE_ID_CHARS = MAX_ID_BYTES // 4  # an id this short cannot be too long in UTF-8
MILLISECONDS = EARLIEST_TS * 1000


class Dead(NamedTuple):
    """Why a message cannot be used: a reason of `contracts.events.REASONS`, and the detail."""

    reason: str
    detail: str


class DeadMessage(Exception):  # it is a message's fate, not an error of ours
    """A message cannot be used."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.dead = Dead(reason, detail)


class EventDecoder:
    """Decode messages of one type.

    Raises:
        DeadMessage: from `decode`, with the reason.
    """

    def __init__(self, event: type[Event], max_bytes: int) -> None:
        self._decoder = msgspec.json.Decoder(event)
        self._max_bytes = max_bytes

    def decode(self, value: bytes | None) -> Any:
        """Return the event in a message."""
        if value is None:
            raise DeadMessage("null_value", "the value is null")
        if len(value) > self._max_bytes:
            raise DeadMessage("too_large", f"{len(value)} bytes, at most {self._max_bytes}")
        try:
            if not value.isascii():
                value.decode()  # msgspec does not look at the bytes of fields that it skips
            return self._decoder.decode(value)
        except msgspec.ValidationError as error:
            raise DeadMessage(*_invalid(value, str(error))) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DeadMessage(*_undecodable(value, str(error))) from None


def checked_id(id_: Id, field: str) -> str:
    """Return an id as a string; an integer becomes its decimal string.

    Raises:
        DeadMessage: it is longer than 256 bytes in UTF-8.
    """
    if isinstance(id_, int) and id_.bit_length() > MAX_ID_BYTES * 4:
        raise DeadMessage("long_id", f"{field} is an integer of {id_.bit_length()} bits")
    text = str(id_)
    if len(text) > SAFE_ID_CHARS and len(text.encode()) > MAX_ID_BYTES:
        raise DeadMessage("long_id", f"{field} has {len(text.encode())} bytes")
    return text


def checked_time(ts: float, record_ts: float) -> float:
    """Return the time of an event in seconds: its own, but never later than its record's.

    Raises:
        DeadMessage: it cannot be the time of an event.
    """
    if EARLIEST_TS <= ts <= record_ts + LATEST_AHEAD_S:
        return ts if ts <= record_ts else record_ts
    if ts < EARLIEST_TS:
        raise DeadMessage("ts_too_old", f"ts is {ts}")
    if MILLISECONDS <= ts <= (record_ts + LATEST_AHEAD_S) * 1000:
        raise DeadMessage("ts_in_milliseconds", f"ts is {ts}; divide it by 1000")
    raise DeadMessage("ts_in_future", f"ts is {ts}, the record's time is {record_ts}")


def _invalid(value: bytes, error: str) -> Dead:
    """Name what is wrong with JSON that is not the object we expect."""
    if value.lstrip()[:1] != b"{":
        return Dead("not_object", error)
    if "missing required field" in error:
        return Dead("missing_field", error)
    if "length >= 1" in error:
        return Dead("empty_id", error)
    return Dead("wrong_type", error)


def _undecodable(value: bytes, error: str) -> Dead:
    try:
        value.decode()
    except UnicodeDecodeError as utf8:
        return Dead("not_utf8", f"byte {utf8.start}: {utf8.reason}")
    return Dead("not_json", error)
