"""Four kinds of real producers: whoever sends, and however keys are hashed, the state is one."""

import base64
import json
import tomllib
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from contracts import keys
from contracts.settings import Settings
from headwater.local import jars
from streams.interactions import misplaced
from tests import console, saved_state
from tests.producers_world import GROUPS, START, USERS, Event, World, groups, java_partition
from tests.saved_state import State

SENT = [event for group in groups() for event in group]
ONCE = list(dict.fromkeys(event for event in SENT if event.item))
COUNTED = {
    "learned": len(ONCE),
    "duplicate": len(SENT) - GROUPS - len(ONCE),
    "dead_letter": GROUPS,
}
CODECS = ("gzip", "snappy", "lz4", "zstd")
WARNER = misplaced.__name__
Send = Callable[[World, Sequence[Event]], None]


def java(world: World, events: Sequence[Event]) -> None:
    """Send with a Java producer, the user as key."""
    with console.console(world.settings, world.folder / "java.log", *console.KEYED) as producer:
        producer.write(f"{event.user}\t{event.value}" for event in events)


def python(world: World, events: Sequence[Event]) -> None:
    """Send with kafka-python, the user as key."""
    with KafkaProducer(bootstrap_servers=world.settings.kafka) as producer:
        for event in events:
            producer.send(world.topic, event.value.encode(), event.user.encode())


def confluent(world: World, events: Sequence[Event]) -> None:
    """Send with confluent-kafka as it comes, the user as key."""
    _produce(world, events, "none")


def packed(world: World, events: Sequence[Event]) -> None:
    """Send with confluent-kafka, compressed in every way there is."""
    share = -(-len(events) // len(CODECS))
    for n, codec in enumerate(CODECS):
        _produce(world, events[n * share : (n + 1) * share], codec)


def _produce(world: World, events: Sequence[Event], codec: str) -> None:
    producer = Producer({"bootstrap.servers": world.settings.kafka, "compression.type": codec})
    for event in events:
        producer.produce(world.topic, event.value, event.user)
    assert producer.flush(30) == 0


def without_key(world: World, events: Sequence[Event]) -> None:
    """Send with the console producer, no key.

    Then Kafka keeps no order between a user's events: the next is sent when the last is learned.
    """
    options = ("--batch-size", "2048", "--timeout", "2")  # goes on to another partition often
    with console.console(world.settings, world.folder / "plain.log", *options) as producer:
        for start in range(0, len(events), USERS):
            feed(world, events[start : start + USERS], lambda _, some: _write(producer, some))


def _write(producer: console.Console, events: Sequence[Event]) -> None:
    producer.write(event.value for event in events)


def feed(world: World, events: Sequence[Event], send: Send) -> None:
    """Send events and wait until they are learned."""
    before = world.came()
    send(world, events)
    world.until(lambda: world.came() == before + len(events))


def check(state: State, settings: Settings) -> None:
    """Hold what can be counted by hand: each event once, in order, with its owner."""
    history: dict[str, list[str]] = defaultdict(list)
    for event in ONCE:
        history[event.user].insert(0, event.item)
    length = settings.history_length
    assert state.history == {user: items[:length] for user, items in history.items()}
    assert state.seen == Counter(event.item for event in ONCE)
    assert state.learned == len(ONCE)


def same(one: State, other: State) -> None:
    """Hold that two states are one; sums may have been added up in another order."""
    assert one[:4] == other[:4]
    assert one.weight == pytest.approx(other.weight, rel=1e-9)
    assert one.near == pytest.approx(other.near, rel=1e-6), "32 bits have seven digits"


def test_four_kinds_of_producers_mixed_give_the_state_that_one_of_them_gives(
    settings: Settings, tmp_path: Path
) -> None:
    one = World(settings, tmp_path / "one")
    mixed = World(beside(settings), tmp_path / "mixed")
    with one.worker(), mixed.worker() as child:
        feed(one, SENT, python)
        assert one.outcomes() == COUNTED
        for send, events in zip((java, python, confluent, without_key), groups(), strict=True):
            feed(mixed, events, send)
        moved = [user for user, at in mixed.placed() if at != java_partition(user, 4)]
        assert mixed.outcomes() == COUNTED | {"rekeyed": len(moved)}
        assert mixed.outcomes("interactions")["rekeyed"] == len(moved)
        assert {user.strip("uü")[0] for user in moved} == {"2", "3"}
        assert WARNER not in child.log.read_text(), "not most of them"
    state = saved_state.read(mixed.settings, START)
    check(state, settings)
    same(state, saved_state.read(one.settings, START))
    assert state.owner == {user: java_partition(user, 4) for user in state.owner}
    with redis.Redis.from_url(settings.redis) as client:
        names = [keys.REC.at(mixed.settings.key_prefix, user=user) for user in state.owner]
        assert client.exists(*names) == len(names) == 40


def beside(settings: Settings) -> Settings:
    """Return settings for a second worker that shares nothing with the first."""
    return msgspec.structs.replace(
        settings,
        group=f"{settings.group}b",
        topic_prefix=f"{settings.topic_prefix}b.",
        key_prefix=f"{settings.key_prefix}b:",
    )


@pytest.mark.long
def test_where_all_producers_hash_another_way_the_log_says_so_and_a_setting_ends_it(
    settings: Settings, tmp_path: Path
) -> None:
    world = World(settings, tmp_path)
    half = len(SENT) // 2
    with world.worker() as child:
        feed(world, SENT[:half], confluent)
        rekeyed = world.outcomes()["rekeyed"]
        assert rekeyed > half / 2
        said = [x for x in child.log.read_text().splitlines() if WARNER in x]
    assert len(said) == 1, "once an hour is enough"
    assert "partitioner=murmur2_random" in said[0]
    assert "HEADWATER_PARTITIONER=crc32" in said[0]
    assert "headwater worker --rebuild" in said[0]
    with world.worker("--rebuild", HEADWATER_PARTITIONER="crc32"):
        packed(world, SENT[half:])
        world.until(lambda: world.came() == len(SENT) + rekeyed)
        assert world.outcomes("interactions") == COUNTED
        assert world.outcomes("interactions-rekeyed") == {"dead_letter": rekeyed}, "of before"
    state = saved_state.read(world.settings, START)
    check(state, settings)
    assert state.owner == {user: zlib.crc32(user.encode()) % 4 for user in state.owner}


def test_messages_that_cannot_be_used_are_found_in_dead_letters(
    settings: Settings, tmp_path: Path
) -> None:
    world = World(settings, tmp_path)
    bad = {"null_value": None, "not_utf8": b"\xff\xfe{}", "too_large": b"x" * 1_000_000}
    with world.worker():
        with KafkaProducer(bootstrap_servers=settings.kafka, max_request_size=4_000_000) as sender:
            sent = {
                reason: sender.send(world.topic, value, b"ann", partition=2).get(10)
                for reason, value in bad.items()
            }
            with pytest.raises(MessageSizeTooLargeError):  # the broker's own limit: never a letter
                sender.send(world.topic, b"x" * 2_000_000, b"ann").get(10)
        world.until(lambda: world.came() == len(bad))
        assert world.outcomes() == {"dead_letter": len(bad)}
    letters = {letter.headers[0][1].decode(): letter for letter in world.records("dead-letters")}
    assert letters.keys() == bad.keys()
    for reason, value in bad.items():
        assert letters[reason].key == b"ann"
        assert letters[reason].headers == [("reason", reason.encode())]
        body = json.loads(letters[reason].value)
        assert body.pop("detail")
        assert body == letter_of(reason, value, sent[reason])


def letter_of(reason: str, value: bytes | None, sent: Any) -> dict[str, Any]:
    """Return what a letter says, but for its detail."""
    return {
        "reason": reason,
        "topic": "interactions",
        "partition": 2,
        "offset": sent.offset,
        "ts": sent.timestamp / 1000,
        "key": "ann",
        "value_base64": base64.b64encode((value or b"")[: 64 * 1024]).decode(),
        "size": len(value or b""),
    }


def test_the_console_producer_is_locked_in_the_version_of_the_broker() -> None:
    (tool,) = tomllib.loads(console.LOCK.read_text())["dependencies"]
    broker = tomllib.loads(jars.LOCK.read_text())["dependencies"][0]
    assert (tool["artifactId"], tool["version"]) == ("kafka-tools", broker["version"])
    assert len(bytes.fromhex(tool["sha256"])) == 32
