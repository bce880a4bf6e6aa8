"""Messages that a shard sends on: dead letters, re-keyed events, drifts."""

import base64
from typing import Any

import msgspec

from contracts.topics import DEAD_LETTERS, DRIFTS, REKEYED
from streams.interactions.decode import Dead
from streams.shards import Message, Record

MAX_DEAD_BYTES = 65_536  # of a value or key: the letter must fit where the message did
MAX_SHOWN_KEY = 1024
MAX_OFFSET = 2**63 - 1
ORIGIN = "origin"  # header of a re-keyed event: b"partition:offset" in `interactions`


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


def rekeyed(record: Record, user: str, origin: int, partition: int) -> Message:
    """Return an event that came to partition `origin` on its way to the one it belongs to."""
    headers = [(ORIGIN, b"%d:%d" % (origin, record.offset))]
    return Message(REKEYED.name, user.encode(), record.value, partition, headers)


def origin_of(record: Record, partitions: int) -> tuple[int, int]:
    """Return partition and offset that a re-keyed event came from.

    Raises:
        ValueError: no header says so, or it names what cannot be.
    """
    for name, value in record.headers or ():
        if name == ORIGIN:
            partition, offset = map(int, (value or b"").split(b":"))
            if 0 <= partition < partitions and 0 <= offset <= MAX_OFFSET:
                return partition, offset
            raise ValueError(f"there is no partition {partition} with an offset {offset}")
    raise ValueError("no header names the origin")


def drift(model: str, fields: dict[str, Any]) -> Message:
    """Return the message that tells of a change."""
    body = {"model": model, "detector": "adwin", "level": "drift", "reaction": "none", **fields}
    return Message(DRIFTS.name, model.encode(), msgspec.json.encode(body), None, [])
