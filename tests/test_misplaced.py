"""What the log says when most events come to another user's partition."""

import logging
import re
import zlib
from collections import Counter

import pytest

from contracts.settings import Settings
from streams.interactions.intake import Intake
from streams.interactions.misplaced import LEAST, MOST, QUIET_S, Misplaced
from streams.interactions.unit import Interactions
from streams.shards import Batch, PlainRecord
from tests.streams_kit import batch, encode, event, record, shard_of, users_of

FOUR = Settings(partitions=4)
OTHERS = users_of(1, FOUR, 300)  # no business in partition 0
BY_CRC32 = [user for user in OTHERS if zlib.crc32(user.encode()) % 4 == 0]
BY_NOTHING = [user for user in OTHERS if zlib.crc32(user.encode()) % 4 != 0]


def cause(user: str, key: bytes | None, settings: Settings = FOUR) -> dict[str, int]:
    """Return what partition 0 makes of an event of somebody else."""
    arrived = PlainRecord(0, 1_700_000_000_000, encode(event(user=user)), key, ())
    taken = Intake(settings, 0, lambda _: False).take(Batch("interactions", 0, [arrived]))
    assert taken.outcomes == {"rekeyed": 1}
    return dict(taken.causes)


def test_each_cause_is_told_from_the_others() -> None:
    crc32, nothing = BY_CRC32[0], BY_NOTHING[0]
    assert cause(crc32, None) == {"no key": 1}
    assert cause(crc32, b"its session") == {"another key": 1}
    assert cause(crc32, crc32.encode()) == {"another hash": 1}
    assert cause(nothing, nothing.encode()) == {"unknown": 1}


def test_where_crc32_is_agreed_on_murmur2_is_the_other_hash() -> None:
    agreed = Settings(partitions=4, partitioner="crc32")
    user = next(u for u in users_of(0, FOUR, 50) if zlib.crc32(u.encode()) % 4)
    assert cause(user, user.encode(), agreed) == {"another hash": 1}


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


@pytest.mark.parametrize(
    ("why", "how", "says"),
    [
        ("no key", "murmur2", "send the user as the key"),
        ("another key", "murmur2", "send the user as the key"),
        ("another hash", "murmur2", "partitioner=murmur2_random.*HEADWATER_PARTITIONER=crc32"),
        ("another hash", "crc32", "HEADWATER_PARTITIONER=murmur2.*consistent_random"),
        ("unknown", "murmur2", "neither murmur2 nor crc32"),
    ],
)
def test_the_remedy_is_that_of_the_most_frequent_cause(
    why: str, how: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    counts = Counter({"no key": 20, "another key": 20, "another hash": 20, "unknown": 20})
    Misplaced(how).add(LEAST, counts + Counter({why: 60}))
    (line,) = caplog.messages
    assert line.startswith(f"140 of {LEAST} events of 'interactions'")
    assert re.search(says, line)


def test_half_of_them_or_few_of_them_are_no_reason_to_warn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Misplaced("murmur2").add(LEAST, Counter({"no key": LEAST // 2}))
    Misplaced("murmur2").add(LEAST - 1, Counter({"no key": LEAST - 1}))
    assert caplog.messages == []


def test_it_is_said_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    misplaced = Misplaced("murmur2", clock)
    for clock.now in (0.0, 1.0, QUIET_S - 1, QUIET_S, QUIET_S + 1):
        misplaced.add(LEAST, Counter({"no key": LEAST}))
    assert len(caplog.messages) == 2


def test_a_change_for_the_worse_is_noticed_though_all_was_well_for_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    misplaced = Misplaced("murmur2")
    for _ in range(1_000):
        misplaced.add(500, Counter())
    for _ in range(MOST // 500 + 1):
        misplaced.add(500, Counter({"no key": 400}))
    assert len(caplog.messages) == 1


def test_partitions_are_looked_at_together_and_dead_letters_are_not_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unit, shard, _ = shard_of(FOUR)
    assert isinstance(unit, Interactions)
    dead = [record(b"{", n) for n in range(1_000)]
    shard.handle(batch([*dead, *(record(event(n, user=OTHERS[n]), n) for n in range(150))]))
    assert caplog.messages == []
    unit.open(2).handle(batch([record(event(n, user=OTHERS[n]), n) for n in range(150)]))
    with caplog.at_level(logging.WARNING):
        assert caplog.messages[0].startswith("300 of 300 events")
