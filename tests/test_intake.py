"""The door of a partition: what is learned, what is known already, what belongs elsewhere."""

import base64
import json
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.partitioner.default import murmur2

from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, REKEYED
from streams.interactions import messages
from streams.interactions.intake import LATE_S, Intake, Taken
from streams.kafka.partitioner import Partitioner
from tests.streams_kit import NOW, batch, encode, event, record, users_of

ONE = Settings(partitions=1)
FOUR = Settings(partitions=4)
# From the tests of Apache Kafka (UtilsTest.testMurmur2).
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def intake(config: Settings = ONE, partition: int = 0) -> Intake:
    return Intake(config, partition, lambda _: False)


def take(door: Intake, *values: Any, rekeyed: bool = False) -> Taken:
    return door.take(batch([record(v, n) for n, v in enumerate(values)], rekeyed))


def came_from(origin: int, offset: int, user: str = "ann") -> list[tuple[str, Any]]:
    return [("trace", b"x"), (messages.ORIGIN, messages.Origins(ONE).header(origin, offset, user))]


def test_events_come_out_in_order_with_their_times() -> None:
    taken = take(intake(), *(event(n, user=n, item=f"i{n}", ts=NOW - n) for n in range(5)))
    assert taken.user == ["0", "1", "2", "3", "4"]
    assert taken.item == ["i0", "i1", "i2", "i3", "i4"]
    assert taken.ts == [NOW - n for n in range(5)]
    assert [r.offset for r in taken.record] == list(range(5))
    assert dict(taken.outcomes) == {"learned": 5}


def test_a_producers_retry_is_learned_once_and_counted() -> None:
    door = intake()
    taken = take(door, event(1), event(2), event(1), event(1, user="bob"), event(3))
    assert taken.outcomes == {"learned": 3, "duplicate": 2}
    assert take(door, event(2), event(4)).outcomes == {"learned": 1, "duplicate": 1}


def test_an_integer_event_id_is_the_same_as_its_decimal_string() -> None:
    taken = take(intake(), event(event_id=7), event(event_id="7"))
    assert taken.outcomes == {"learned": 1, "duplicate": 1}


def test_the_window_of_event_ids_is_bounded() -> None:
    door = intake(Settings(partitions=1, duplicates_window=3))
    take(door, *(event(n) for n in range(100)))
    assert len(door._recent) == 3
    assert take(door, event(96), event(99)).outcomes == {"learned": 1, "duplicate": 1}


def test_without_a_window_every_event_counts() -> None:
    door = intake(Settings(partitions=1, duplicates_window=0))
    assert take(door, event(1), event(1)).outcomes == {"learned": 2}


def test_a_late_event_is_learned_and_counted_as_late() -> None:
    values = [event(1, ts=NOW - 5), event(2, ts=NOW - 5 - LATE_S), event(3, ts=NOW - 6 - LATE_S)]
    assert take(intake(), *values).outcomes == {"learned": 3, "late": 1}


def test_a_dead_letter_keeps_what_came_and_where() -> None:
    door = Intake(FOUR, 3, lambda _: False)
    dead = record(b"{not json", offset=41)
    letter = door.take(batch([dead])._replace(partition=3)).messages[0]
    assert (letter.topic, letter.key, letter.partition) == (DEAD_LETTERS.name, b"a key", None)
    body = json.loads(letter.value or b"")
    assert base64.b64decode(body.pop("value_base64")) == b"{not json"
    assert body.pop("detail")
    assert body == {
        "reason": "not_json",
        "topic": "interactions",
        "partition": 3,
        "offset": 41,
        "ts": NOW,
        "key": "a key",
        "size": 9,
    }


def test_a_dead_letter_fits_into_a_topic_however_large_its_message_was() -> None:
    huge = record(b"x" * 1_000_000)._replace(key=b"\xff" * 900_000)  # type: ignore[attr-defined]
    (letter,) = intake().take(batch([huge])).messages
    assert len(letter.value or b"") + len(letter.key or b"") < 250_000
    assert json.loads(letter.value or b"")["size"] == 1_000_000


def test_an_event_in_the_wrong_partition_is_sent_on_once_with_its_origin() -> None:
    (stranger,) = users_of(2, FOUR, 1)
    value = encode(event(user=stranger))
    taken = intake(FOUR).take(batch([record(value, 17)]))
    assert dict(taken.outcomes) == {"rekeyed": 1}
    (sent,) = taken.messages
    assert (sent.topic, sent.key, sent.value) == (REKEYED.name, stranger.encode(), value)
    assert (sent.partition, sent.headers[0][1].rpartition(b":")[0]) == (2, b"0:17")

    receiver = intake(FOUR, partition=2)
    arrived = record(value, 5, headers=sent.headers)
    assert receiver.take(batch([arrived], rekeyed=True)).outcomes == {"learned": 1}


def test_a_rekeyed_event_that_its_origin_replays_counts_once() -> None:
    door = intake(Settings(partitions=1, duplicates_window=0))
    first = [record(event(n), n, came_from(0, n)) for n in range(10)]
    again = [record(event(n), 10 + n, came_from(0, n)) for n in range(4, 12)]
    assert door.take(batch(first, rekeyed=True)).outcomes == {"learned": 10}
    assert door.take(batch(again, rekeyed=True)).outcomes == {"learned": 2, "duplicate": 6}


def test_origins_of_different_partitions_are_told_apart() -> None:
    door = intake(Settings(partitions=2, duplicates_window=0))
    (ann,) = users_of(0, Settings(partitions=2), 1)
    records = [record(event(n, user=ann), n, came_from(n % 2, 9 - n, ann)) for n in range(4)]
    taken = door.take(batch(records, rekeyed=True))
    assert taken.outcomes == {"learned": 2, "duplicate": 2}


SIGNATURE = messages.Origins(FOUR).header(0, 5, "u").rpartition(b":")[2].decode()


@pytest.mark.parametrize(
    "origin",
    [
        *(None, "", "5", "a:b", "1:2", "a:b:c", "9" * 5000, "0:5:\u00e9", f"0:05:{SIGNATURE}"),
        *("0:9223372036854775807", "0:9223372036854775807:" + "0" * 32),
        f"0:9223372036854775807:{SIGNATURE}",
    ],
)
def test_a_rekeyed_event_without_a_signed_origin_is_dead(origin: str | None) -> None:
    door = intake(FOUR)
    (ann,) = users_of(0, FOUR, 1)
    headers = [(messages.ORIGIN, None if origin is None else origin.encode())]
    taken = door.take(batch([record(event(user=ann), 1, headers)], rekeyed=True))
    assert dict(taken.reasons) == {"no_origin": 1}
    assert door.dump() == intake(FOUR).dump()


@pytest.mark.parametrize(
    "other",
    [
        Settings(partitions=4, snapshot_key="another"),
        Settings(partitions=4, snapshot_key="ours", topic_prefix="another-"),
    ],
)
def test_an_origin_that_was_signed_elsewhere_or_for_another_user_is_dead(other: Settings) -> None:
    ours = Settings(partitions=4, snapshot_key="ours")
    ann, bob = users_of(0, ours, 2)
    door = intake(ours)
    for signer, signed_for in ((other, ann), (ours, bob)):
        headers = [(messages.ORIGIN, messages.Origins(signer).header(0, 5, signed_for))]
        taken = door.take(batch([record(event(user=ann), 1, headers)], rekeyed=True))
        assert dict(taken.reasons) == {"no_origin": 1}
    headers = [(messages.ORIGIN, messages.Origins(ours).header(0, 5, ann))]
    taken = door.take(batch([record(event(user=ann), 1, headers)], rekeyed=True))
    assert taken.outcomes == {"learned": 1}


def test_a_rekeyed_event_in_the_wrong_partition_is_dead_and_not_sent_in_circles() -> None:
    (stranger,) = users_of(1, FOUR, 1)
    arrived = record(event(user=stranger), 1, came_from(0, 1, stranger))
    assert dict(intake(FOUR).take(batch([arrived], rekeyed=True)).reasons) == {"no_origin": 1}


def test_a_known_user_is_not_asked_for_a_partition_again() -> None:
    (stranger,) = users_of(1, FOUR, 1)
    door = Intake(FOUR, 0, {stranger}.__contains__)
    assert door.take(batch([record(event(user=stranger))])).outcomes == {"learned": 1}


VALUES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 200)), max_size=40)


@settings(max_examples=100)
@given(VALUES, VALUES)
def test_a_restored_door_decides_as_the_first_one(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    config = Settings(partitions=1, duplicates_window=5)

    def some(values: list[tuple[int, int]]) -> Any:
        records = [record(event(n, ts=NOW - s), s, came_from(0, s)) for n, s in values]
        return batch(records, rekeyed=len(values) % 2 == 0)

    door, twin = intake(config), intake(config)
    door.take(some(before))
    twin.load(door.dump())
    assert twin.take(some(after)) == door.take(some(after))
    assert twin.dump() == door.dump()


@pytest.mark.parametrize("key", JAVA)
def test_murmur2_is_javas(key: bytes) -> None:
    assert Partitioner("murmur2", 2**31)(key.decode()) == JAVA[key] & 0x7FFFFFFF


@settings(max_examples=300)
@given(st.text(), st.integers(1, 1024))
def test_murmur2_is_kafka_pythons_and_crc32_is_zlibs(user: str, partitions: int) -> None:
    key = user.encode()
    assert Partitioner("murmur2", partitions)(user) == (murmur2(key) & 0x7FFFFFFF) % partitions
    assert Partitioner("crc32", partitions)(user) == zlib.crc32(key) % partitions


@pytest.fixture
def seven(kafka: str) -> Iterator[str]:
    name = f"placement-{uuid.uuid4().hex}"
    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        admin.create_topics([NewTopic(name, 7, 1)])
        yield name
        admin.delete_topics([name])


@pytest.mark.parametrize(
    ("options", "how"),
    [({}, "crc32"), ({"partitioner": "murmur2_random"}, "murmur2")],
    ids=["as it comes", "told to hash as Java"],
)
def test_a_confluent_producer_places_users_as_we_compute_it(
    kafka: str, seven: str, options: dict[str, str], how: str
) -> None:
    placed: dict[str, int] = {}

    def delivered(_: Any, message: Any) -> None:
        placed[message.key().decode()] = message.partition()

    producer = Producer({"bootstrap.servers": kafka, **options})
    for n in range(300):
        producer.produce(seven, b"x", key=f"user {n} é".encode(), on_delivery=delivered)
    assert producer.flush(30) == 0
    assert placed == {user: Partitioner(how, 7)(user) for user in placed}
    assert len(placed) == 300


def test_a_kafka_python_producer_places_users_as_we_compute_it(kafka: str, seven: str) -> None:
    with KafkaProducer(bootstrap_servers=kafka) as producer:
        sent = {f"u{n}": producer.send(seven, b"x", key=b"u%d" % n) for n in range(300)}
        placed = {user: future.get(30).partition for user, future in sent.items()}
    assert placed == {user: Partitioner("murmur2", 7)(user) for user in placed}
