"""Messages that a shard of interactions sends: re-keyed events, drifts."""

import hmac

import msgspec

from contracts.control import LISTS
from contracts.settings import Settings
from contracts.topics import DRIFTS, REKEYED
from learners.watcher import Drift
from streams.shards import Message, Record

ORIGIN = "origin"  # header of a re-keyed event: b"partition:offset:signature"
SIGNED = 32  # hexadecimal digits of the signature, half of an HMAC-SHA256


class Origins:
    """Writes where a re-keyed event came from, and reads what was written with the same key.

    Without a signature anyone who may write to the topic could name an origin's last possible
    offset, and all that really came from there would count as known, for ever.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = settings.snapshot_key.encode()
        self._topic = settings.topic_prefix + REKEYED.name

    def rekeyed(self, record: Record, user: str, origin: int, partition: int) -> Message:
        """Return an event that came to partition `origin` on its way to the one it belongs to."""
        headers = [(ORIGIN, self.header(origin, record.offset, user))]
        return Message(REKEYED.name, user.encode(), record.value, partition, headers)

    def header(self, origin: int, offset: int, user: str) -> bytes:
        """Return the header of a user's event from this partition and offset."""
        what = f"{origin}:{offset}"
        signed = hmac.digest(self._key, f"{self._topic}\n{what}\n{user}".encode(), "sha256")
        return f"{what}:{signed.hex()[:SIGNED]}".encode()

    def read(self, record: Record, user: str) -> tuple[int, int]:
        """Return partition and offset that a user's re-keyed event came from.

        Raises:
            ValueError: no header says so, or none that was written with this key.
        """
        for name, value in record.headers or ():
            if name == ORIGIN:
                partition, offset, _ = (value or b"").split(b":")
                found = int(partition), int(offset)
                if not hmac.compare_digest(value, self.header(*found, user)):
                    raise ValueError("the origin was not signed with this HEADWATER_SNAPSHOT_KEY")
                return found
        raise ValueError("no header names the origin")


def fall(partition: int, change: Drift, ts: float) -> Message:
    """Return the message that tells of a fall of the hit rate of lists."""
    return _drift("adwin", "none", partition, (change.before, change.after), ts)


def turn(partition: int, shares: tuple[float, float], ts: float) -> Message:
    """Return the message that memory was shortened, since fewer choices are foretold by pairs."""
    return _drift("cusum", "memory_shortened", partition, shares, ts)


def _drift(
    detector: str, reaction: str, partition: int, shares: tuple[float, float], ts: float
) -> Message:
    body = {
        "model": LISTS,
        "detector": detector,
        "level": "drift",
        "reaction": reaction,
        "partition": partition,
        "from": shares[0],
        "to": shares[1],
        "ts": ts,
    }
    return Message(DRIFTS.name, LISTS.encode(), msgspec.json.encode(body))
