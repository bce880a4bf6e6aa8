"""Dead letters: messages that keep what could not be used, and say why."""

import base64

import msgspec

from contracts.topics import DEAD_LETTERS
from streams.decode import Dead
from streams.shards import Message, Record

MAX_DEAD_BYTES = 65_536  # of a value or key: the letter must fit where the message did
MAX_SHOWN_KEY = 1024


def dead_letter(record: Record, topic: str, partition: int, dead: Dead) -> Message:
    """Return the message that keeps what could not be used, with reason and position."""
    value = record.value or b""
    body = {
        "reason": dead.reason,
        "detail": dead.detail,
        "topic": topic,
        "partition": partition,
        "offset": record.offset,
        "ts": record.timestamp / 1000,
        "key": None if record.key is None else _readable(record.key),
        "value_base64": base64.b64encode(value[:MAX_DEAD_BYTES]).decode(),
        "size": len(value),
    }
    headers = [("reason", dead.reason.encode())]
    key = None if record.key is None else record.key[:MAX_DEAD_BYTES]
    return Message(DEAD_LETTERS.name, key, msgspec.json.encode(body), None, headers)


def _readable(key: bytes) -> str:
    return key[:MAX_SHOWN_KEY].decode(errors="backslashreplace")
