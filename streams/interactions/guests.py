"""Messages about guests among events: sealed by whoever writes them, known by their signature."""

import hmac
from typing import NamedTuple

import msgspec

from contracts.guests import MAX_BYTES, SIGNATURE, Handover, Merge, Move
from contracts.settings import Settings
from streams.decode import DeadMessage
from streams.shards import Message, Record

Place = tuple[str, int, int]  # topic, partition, offset


class Found(NamedTuple):
    """A message about a guest, and where it stands.

    `void` is that the account was forgotten since; `late` that it was so already, so that what the
    items have learned of the guest is still to be subtracted.
    """

    said: Move
    place: Place
    void: bool = False
    late: bool = False


class Guests:
    """Writes and reads with the settings' key."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.snapshot_key.encode()
        self._prefix = settings.topic_prefix
        self._decode = msgspec.json.Decoder(Merge | Handover).decode

    def sealed(self, said: Move, topic: str, partition: int) -> Message:
        """Return a message as it is produced."""
        value = msgspec.json.encode(said)
        signed = [(SIGNATURE, self._signature(value, topic, partition))]
        return Message(topic, said.user.encode(), value, partition, signed)

    def handover(self, said: Handover, topic: str, partition: int) -> Message:
        """Return the same; of what was seen only the newest that a broker takes."""
        room, first = MAX_BYTES - len(msgspec.json.encode(said.choices)), len(said.seen)
        while first and (room := room - len(msgspec.json.encode(said.seen[first - 1])) - 1) > 0:
            first -= 1
        kept = msgspec.structs.replace(said, seen=said.seen[first:])
        return self.sealed(kept, topic, partition)

    def read(self, record: Record, topic: str, partition: int) -> Found | None:
        """Return what a record that is no event says of a guest, None if it is none of ours.

        Raises:
            DeadMessage: it is not signed with our key.
        """
        signatures = [found for name, found in record.headers or () if name == SIGNATURE]
        if not signatures or record.value is None:
            return None
        wanted = self._signature(record.value, topic, partition)
        if not any(hmac.compare_digest(found or b"", wanted) for found in signatures):
            raise DeadMessage("not_signed", "no signature of this HEADWATER_SNAPSHOT_KEY")
        try:
            return Found(self._decode(record.value), (topic, partition, record.offset))
        except msgspec.MsgspecError as error:  # of another version
            raise DeadMessage("wrong_type", str(error)) from None

    def _signature(self, value: bytes, topic: str, partition: int) -> bytes:
        signed = f"{self._prefix}{topic}\n{partition}\n".encode() + value
        return hmac.digest(self._key, signed, "sha256").hex().encode()
