"""Misplaced: when most events come to the wrong partition, the log says which remedy applies."""

import logging
import time
from collections import Counter
from collections.abc import Callable

from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from streams.kafka.partitioner import Partitioner

log = logging.getLogger(__name__)
LEAST = 200  # events, or fewer than that are no sign
MOST = 10_000  # events, then older ones count half
QUIET_S = 3600.0  # between two warnings

NO_KEY, OTHER_KEY, OTHER_HASH, UNKNOWN = "no key", "another key", "another hash", "unknown"
THE_USER = "let their producers send the user as the key"
OWN = (
    "their key is the user, yet neither murmur2 nor crc32 leads there: let their producers name no "
    "partition and use no partitioner of their own"
)
REBUILD = "start all workers anew, the first one with `headwater worker --rebuild`"
HASHES = {
    "murmur2": "their keys are hashed by CRC32, as librdkafka does (confluent-kafka, kcat): set "
    "partitioner=murmur2_random in these producers; or, if all producers hash so, set "
    f"HEADWATER_PARTITIONER=crc32 and {REBUILD}",
    "crc32": "their keys are hashed by murmur2, as Java and kafka-python do: if all producers hash "
    f"so, set HEADWATER_PARTITIONER=murmur2 and {REBUILD}; or set "
    "partitioner=consistent_random where the producer is librdkafka's",
}


class Cause:
    """Tell why a misplaced event came where it came."""

    def __init__(self, settings: Settings) -> None:
        other = "crc32" if settings.partitioner == "murmur2" else "murmur2"
        self._other = Partitioner(other, settings.partitions)

    def __call__(self, key: bytes | None, user: str, partition: int) -> str:
        """Return the cause, a key of the counts that `Misplaced.add` takes."""
        if key is None:
            return NO_KEY
        if key != user.encode():
            return OTHER_KEY
        return OTHER_HASH if self._other(user) == partition else UNKNOWN


class Misplaced:
    """Counts events and causes, for all partitions of a worker; warns at most once an hour."""

    def __init__(self, partitioner: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._remedies = {
            NO_KEY: f"they have no key: {THE_USER}",
            OTHER_KEY: f"their key is not the user: {THE_USER}",
            OTHER_HASH: HASHES[partitioner],
            UNKNOWN: OWN,
        }
        self._clock = clock
        self._quiet_until = float("-inf")
        self._came = 0
        self._causes: Counter[str] = Counter()

    def add(self, came: int, causes: Counter[str]) -> None:
        """Count `came` events of `interactions`, those of `causes` being misplaced."""
        self._came += came
        self._causes.update(causes)
        if self._came >= LEAST and 2 * self._causes.total() > self._came:
            self._warn()
        if self._came > MOST:
            self._came //= 2
            self._causes = Counter({cause: n // 2 for cause, n in self._causes.items()})

    def _warn(self) -> None:
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + QUIET_S
        ((cause, _),) = self._causes.most_common(1)
        log.warning(
            "%d of %d events of '%s' came to another user's partition and go once more through "
            "'%s'; most of them because %s",
            self._causes.total(), self._came, INTERACTIONS.name, REKEYED.name,
            self._remedies[cause],
        )  # fmt: skip
