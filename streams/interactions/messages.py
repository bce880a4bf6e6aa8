"""Messages that a shard of interactions sends: re-keyed events, drifts."""

from typing import Any

import msgspec

from contracts.topics import DRIFTS, REKEYED
from streams.shards import Message, Record

MAX_OFFSET = 2**63 - 1
ORIGIN = "origin"  # header of a re-keyed event: b"partition:offset" in `interactions`


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
    return Message(DRIFTS.name, model.encode(), msgspec.json.encode(body))
