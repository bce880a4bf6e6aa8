"""Send rows to Kafka as any other producer would: JSON, keyed, acknowledged by every replica."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from contracts import topics
from contracts.errors import InputError, KafkaAway, TopicsDiffer
from contracts.settings import Settings
from streams.sources.examples import Example

Tell = Callable[[int], None]
# librdkafka's own default is CRC32; Java, kafka-python and the worker place keys by murmur2.
PARTITIONERS = {"murmur2": "murmur2_random", "crc32": "consistent_random"}
TELL_EVERY = 1000
SHORTEST_SLEEP_S = 0.002
KNOWN_S, AGAIN_S = 2.0, 0.1  # a busy broker tells of a topic that was just made a moment later


def interactions(rows: Iterable[dict[str, Any]], settings: Settings, tell: Tell) -> int:
    """Send interactions keyed by user, in order; return how many the broker acknowledged.

    `tell` hears now and then how many were handed over.

    Raises:
        KafkaAway: no broker answers, or stops answering; the message says how many were sent.
        TopicsDiffer: the topic is not there.
        InputError: a row is wrong; those before it were sent, and the message says how many.
    """
    sender = Sender(settings, topics.INTERACTIONS)
    return _all(sender, tell, rows, lambda row: sender.send(row["user"], row))


def users(rows: Iterable[dict[str, Any]], settings: Settings, tell: Tell) -> int:
    """Send what is said of users; as `interactions`."""
    sender = Sender(settings, topics.USERS)
    return _all(sender, tell, rows, lambda row: sender.send(row["user"], row))


def items(
    rows: Iterable[dict[str, Any]], settings: Settings, tell: Tell, removed: bool = False
) -> int:
    """Send what a catalogue says of items, or that they are removed; as `interactions`."""
    sender = Sender(settings, topics.ITEMS)

    def send(row: dict[str, Any]) -> None:
        if removed:
            sender.send_bytes(row["item"].encode(), None)
        else:
            sender.send(row["item"], row)

    return _all(sender, tell, rows, send)


def _all(
    sender: "Sender",
    tell: Tell,
    rows: Iterable[dict[str, Any]],
    send: Callable[[dict[str, Any]], None],
) -> int:
    try:
        for row in rows:
            send(row)
            if sender.handed % TELL_EVERY == 0:
                tell(sender.handed)
    except InputError as error:
        raise _stopped(error, sender.finish()) from None
    finally:
        sender.finish()
        tell(sender.handed)
    return sender.arrived


def examples(rows: Iterable[Example], settings: Settings, tell: Tell) -> int:
    """Send each row's features, then its label, each acknowledged before the next is sent.

    So the log tells what a bare loop lives: predict, learn, predict, … Returns and raises as
    `interactions`.
    """
    sender, n = Sender(settings, topics.FEATURES, topics.LABELS), 0
    try:
        for n, row in enumerate(rows, 1):
            for topic, value in zip((topics.FEATURES, topics.LABELS), row, strict=True):
                if value is not None:
                    sender.send(value["id"], value, topic)
                    sender.finish()
            tell(n)
    except InputError as error:
        raise _stopped(error, n) from None
    return n


def _stopped(error: InputError, sent: int) -> InputError:
    return InputError(f"{error}; the {sent} before it were sent") if sent else error


def paced(rows: Iterable[dict[str, Any]], rate: float) -> Iterator[dict[str, Any]]:
    """Yield the rows at `rate` per second, evenly, catching up after a delay."""
    start = time.monotonic()
    for n, row in enumerate(rows):
        ahead = n / rate - (time.monotonic() - start)
        if ahead > SHORTEST_SLEEP_S:
            time.sleep(ahead)
        yield row


class Sender:
    """A producer of some topics that counts what arrived and stops at the first failure."""

    def __init__(self, settings: Settings, *used: topics.Topic) -> None:
        from confluent_kafka import Producer

        self.handed = 0
        self._failed = 0
        self._why = ""
        self._settings = settings
        self._names = {topic: settings.topic_prefix + topic.name for topic in used}
        self._name = self._names[used[0]]
        self._encode = msgspec.json.Encoder().encode
        self._producer = Producer(_config(settings, linger_ms=0.5 if len(used) == 1 else 0.0))
        self._check()

    @property
    def arrived(self) -> int:
        """How many the broker acknowledged; exact after `finish`."""
        return self.handed - self._failed - len(self._producer)

    def send(self, key: str, value: dict[str, Any], topic: topics.Topic | None = None) -> None:
        """Hand one message over as JSON, to the first topic unless another is given.

        Raises:
            KafkaAway: an earlier message was not delivered.
            InputError: this one is larger than Kafka takes.
        """
        self.send_bytes(key.encode(), self._encode(value), topic)

    def send_bytes(
        self,
        key: bytes | None,
        data: bytes | None,
        topic: topics.Topic | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Hand one message over as it is; waits while the producer's own queue is full.

        Raises:
            KafkaAway: an earlier message was not delivered.
            InputError: this one is larger than Kafka takes.
        """
        from confluent_kafka import KafkaException

        name = self._names[topic] if topic else self._name
        while True:
            try:
                self._producer.produce(
                    name, data, key, on_delivery=self._delivered, headers=list(headers)
                )
                break
            except BufferError:
                self._poll(0.1)
            except KafkaException as error:
                problem = f"a row of {len(data or b'')} bytes cannot be sent: {error.args[0].str()}"
                raise InputError(problem) from None
        self.handed += 1
        self._poll(0)

    def finish(self) -> int:
        """Wait until everything was acknowledged and return how many were.

        Raises:
            KafkaAway: some were not.
        """
        while self._producer.flush(1.0):
            self._look()
        self._look()
        return self.arrived

    def _poll(self, wait_s: float) -> None:
        self._producer.poll(wait_s)
        self._look()

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed += 1
            self._why = self._why or str(error)

    def _look(self) -> None:
        if not self._why:
            return
        self._producer.purge()
        self._producer.flush(1.0)
        raise KafkaAway(
            f"the broker at {self._settings.kafka} stopped taking messages ({self._why}); "
            f"{self.arrived} were sent; look at `headwater status`"
        )

    def _check(self) -> None:
        """Find the topics before the first message, so that none waits for a typing error."""
        until = time.monotonic() + KNOWN_S
        while (missing := self._missing()) and time.monotonic() < until:
            time.sleep(AGAIN_S)
        if missing:
            address = self._settings.kafka
            raise TopicsDiffer(f"{address} has no topic {missing[0]}; run `headwater topics`")

    def _missing(self) -> list[str]:
        from confluent_kafka import KafkaException

        address, wait_s = self._settings.kafka, self._settings.wait_s
        try:
            there = self._producer.list_topics(timeout=wait_s).topics
        except KafkaException as error:
            raise KafkaAway(
                f"no Kafka answers at {address} within {wait_s:g} s ({error.args[0].str()}); "
                "set HEADWATER_KAFKA or run `headwater up`"
            ) from None
        return [name for name in self._names.values() if name not in there]


def _config(settings: Settings, linger_ms: float) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka,
        "partitioner": PARTITIONERS[settings.partitioner],
        "acks": "all",
        "enable.idempotence": True,  # a retry neither repeats nor reorders
        "linger.ms": linger_ms,
        "message.timeout.ms": int(settings.wait_s * 1000),
        "delivery.report.only.error": True,
        "queue.buffering.max.messages": 100_000,
        "log_level": 0,  # errors come as exceptions with a remedy
    }
