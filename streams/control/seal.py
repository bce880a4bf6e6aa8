"""Seals messages of `control`, and reads what was sealed with the same key.

Whoever may write to the topic could otherwise clear or freeze every model; and a mark at an
offset that never comes would hold workers up for ever.
"""

import hmac

import msgspec

from contracts.control import SIGNATURE, Control
from contracts.settings import Settings
from contracts.topics import CONTROL
from streams.decode import DeadMessage, EventDecoder
from streams.shards import Message, Record

MAX_BYTES = 1 << 20  # `at` names up to 1024 partitions of some topics


class Seal:
    """Writes and reads with the settings' key; `read` raises DeadMessage, and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.snapshot_key.encode()
        self._topic = settings.topic_prefix + CONTROL.name
        self._decode = EventDecoder(Control, MAX_BYTES).decode

    def sealed(self, message: Control) -> Message:
        """Return the message as it is produced."""
        value = msgspec.json.encode(message)
        return Message(CONTROL.name, None, value, 0, [(SIGNATURE, self._signature(value))])

    def read(self, record: Record) -> Control:
        """Return what a record says.

        Raises:
            DeadMessage: it is not signed with our key, or not what was agreed on.
        """
        value = record.value or b""
        signatures = [found for name, found in record.headers or () if name == SIGNATURE]
        wanted = self._signature(value)
        if not any(hmac.compare_digest(found or b"", wanted) for found in signatures):
            raise DeadMessage("not_signed", "no signature of this HEADWATER_SNAPSHOT_KEY")
        message: Control = self._decode(record.value)
        return message

    def _signature(self, value: bytes) -> bytes:
        signed = f"{self._topic}\n".encode() + value
        return hmac.digest(self._key, signed, "sha256").hex().encode()
