"""Dead letters as lines of JSON, to be mended by any tool, and lines as messages to put back."""

import base64
import binascii
from typing import Any

import msgspec

from contracts.errors import InputError
from streams.kafka.letters import Letter
from streams.kafka.putback import BACK, Returned


class CannotReturn(Exception):  # a letter's fate, counted and told at the end
    """A letter holds too little to put its message back; the text is why."""


class Line(msgspec.Struct):
    """A line as `written` gives it, mended or not; other fields are ignored."""

    letter: int
    topic: str
    reason: str = ""
    key: str | None = None
    key_base64: str | None = None
    value: Any = None
    value_base64: str | None = None
    cut: bool = False


def as_dict(letter: Letter, replayed: bool) -> dict[str, Any]:
    """Return everything about a letter: `value` is an object, else text, else missing."""
    body = letter.body
    found: dict[str, Any] = {"letter": letter.number, "died": letter.died, "replayed": replayed}
    found |= {"reason": body.reason, "detail": body.detail, "topic": body.topic}
    found |= {"partition": body.partition, "offset": body.offset, "ts": body.ts}
    found |= _key(letter.key)
    if (value := readable(letter.value)) is not None:
        found["value"] = value
    return found | {"value_base64": body.value_base64, "size": body.size, "cut": letter.cut}


def _key(key: bytes | None) -> dict[str, Any]:
    if key is None:
        return {"key": None}
    try:
        return {"key": key.decode()}
    except UnicodeDecodeError:
        return {"key_base64": base64.b64encode(key).decode()}


def readable(value: bytes | None) -> Any:
    r"""Return an object where a value is one, else its text, else None.

    >>> readable(b'{"user": "ann"}'), readable(b'["ann"]'), readable(b"\xff")
    ({'user': 'ann'}, '["ann"]', None)
    """
    try:
        text = (value or b"").decode()
    except UnicodeDecodeError:
        return None
    try:
        found = msgspec.json.decode(text)
        msgspec.json.encode(found)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text
    return found if isinstance(found, dict) else text


def returned(letter: Letter) -> Returned:
    """Return the message of a letter as it came.

    Raises:
        CannotReturn: it was cut, or came from a topic that nobody reads.
    """
    _check(letter.body.topic, letter.cut)
    return Returned(letter.number, letter.body.topic, letter.key, letter.value)


def mended(line: bytes) -> Returned:
    """Return the message of a line; where `value` was not changed, byte by byte as it came.

    Raises:
        InputError: it is no such line.
        CannotReturn: as `returned`; a value that was changed is whole.
    """
    try:
        found = msgspec.json.decode(line, type=Line)
        came = base64.b64decode(found.value_base64 or "", validate=True)
        key = _bytes(found.key) if found.key_base64 is None else base64.b64decode(found.key_base64)
        changed = found.value is not None and found.value != readable(came)
        value = _bytes(found.value) if changed else came
    except (msgspec.MsgspecError, UnicodeError, RecursionError, binascii.Error) as error:
        raise InputError(f"{error}; each line must be one of `dead-letters list --json`") from None
    if not changed and found.value_base64 is None:
        raise InputError("it has neither value nor value_base64; give one of them")
    _check(found.topic, found.cut and not changed)
    nothing = found.reason == "null_value" and not value
    return Returned(found.letter, found.topic, key, None if nothing else value)


def _bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _check(topic: str, cut: bool) -> None:
    if topic not in BACK:
        raise CannotReturn(f"nobody reads its topic {topic!r}")
    if cut:
        raise CannotReturn("only its first 64 KiB are kept")
