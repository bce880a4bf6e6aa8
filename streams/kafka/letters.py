"""Reads dead letters back, with little memory however many there are.

with Letters(settings) as letters:
    survey = letters.survey(wanted, 20, tell)
    for letter in letters.read(survey.numbers[0], letters.end, tell):
        ...

What was put back is remembered in the topic itself: by a letter of its own with the reason
`replayed`, which names the number of the one that was sent.
"""

import base64
import binascii
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from contracts.errors import KafkaAway, TopicsDiffer
from contracts.events import REPLAYED
from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS
from streams.dead_letters import MAX_DEAD_BYTES

READ_AT_ONCE = 500
TELL_EVERY = 1_000
ASK_S = 0.5
AGAIN_S = 0.1


class Body(msgspec.Struct):
    """What stands in a dead letter, see `streams.dead_letters`."""

    reason: str
    topic: str
    partition: int
    offset: int
    detail: str = ""
    ts: float = 0.0
    value_base64: str = ""
    size: int = 0


class Letter(NamedTuple):
    """A dead letter: `number` is its offset, `key` the message's, `died` when it was written."""

    number: int
    key: bytes | None
    died: float
    body: Body

    @property
    def value(self) -> bytes | None:
        """The message as it came; None where there was none, and what is kept where it was cut."""
        if self.body.reason == "null_value":
            return None
        try:
            return base64.b64decode(self.body.value_base64)
        except (binascii.Error, ValueError):
            return b""

    @property
    def cut(self) -> bool:
        """Whether the message, or its key, was longer than what is kept of it."""
        return self.body.size > MAX_DEAD_BYTES or len(self.key or b"") >= MAX_DEAD_BYTES


class Marks:
    """Which numbers from `first` to before `end` are marked: a bit each.

    >>> marks = Marks(100, 200)
    >>> marks.add(107), marks.add(1), 107 in marks, 108 in marks, 1 in marks
    (None, None, True, False, False)
    """

    def __init__(self, first: int, end: int) -> None:
        self._first, self._end = first, end
        self._bits = bytearray((max(0, end - first) + 7) // 8)

    def add(self, number: int) -> None:
        """Mark a number; one outside is let be."""
        if self._first <= number < self._end:
            at = number - self._first
            self._bits[at >> 3] |= 1 << (at & 7)

    def __contains__(self, number: int) -> bool:
        at = number - self._first
        return self._first <= number < self._end and bool(self._bits[at >> 3] >> (at & 7) & 1)


class Survey(NamedTuple):
    """The numbers of the letters that are wanted, in order, and which letters were put back."""

    numbers: Sequence[int]
    replayed: Marks


class Letters:
    """The topic `dead-letters`, from its beginning to where it ended when this was made.

    Raises:
        KafkaAway: no broker answers.
        TopicsDiffer: the topic is not there.
    """

    def __init__(self, settings: Settings) -> None:
        from confluent_kafka import Consumer

        self._settings = settings
        self._name = settings.topic_prefix + DEAD_LETTERS.name
        self._consumer: Any = Consumer(_config(settings))
        try:
            self.first, self.end = self._bounds()
        except BaseException:
            self._consumer.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def survey(
        self, wanted: Callable[[Letter], bool], most: int | None, tell: Callable[[int], None]
    ) -> Survey:
        """Find the letters that are wanted, the newest `most` of them, and what was put back."""
        numbers: Any = array("q") if most is None else deque[int](maxlen=most)
        replayed = Marks(self.first, self.end)
        for letter in self.read(self.first, self.end, tell):
            if letter.body.reason == REPLAYED:
                replayed.add(letter.body.offset)
            elif wanted(letter):
                numbers.append(letter.number)
        return Survey(numbers, replayed)

    def read(self, start: int, end: int, tell: Callable[[int], None]) -> Iterator[Letter]:
        """Yield letters by number; what is none is passed over.

        Raises:
            KafkaAway: the broker stops answering.
        """
        from confluent_kafka import KafkaError, TopicPartition

        self._consumer.assign([TopicPartition(self._name, 0, max(start, self.first))])
        at, silent = start, 0.0
        while at < end:
            found = self._consumer.consume(READ_AT_ONCE, ASK_S)
            silent = 0.0 if found else silent + ASK_S
            if silent > self._settings.wait_s:
                raise self._away("it fell silent")
            for message in found:
                if (error := message.error()) is None:
                    at = message.offset() + 1
                    if at <= end and (letter := _letter(message)) is not None:
                        yield letter
                    if at % TELL_EVERY == 0:
                        tell(at - start)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    at = end
                elif not error.retriable():
                    raise self._away(error.str())
        tell(end - start)

    def _bounds(self) -> tuple[int, int]:
        from confluent_kafka import KafkaException, TopicPartition

        wait_s = self._settings.wait_s
        try:
            there = self._consumer.list_topics(timeout=wait_s).topics
            if self._name not in there:
                address = self._settings.kafka
                raise TopicsDiffer(f"{address} has no topic {self._name}; run `headwater topics`")
            return self._watermarks(TopicPartition(self._name, 0))
        except KafkaException as error:
            raise self._away(error.args[0].str()) from None

    def _watermarks(self, tp: Any) -> tuple[int, int]:
        """Ask again where the broker does not lead the partition yet: it was made a moment ago."""
        from confluent_kafka import KafkaError, KafkaException

        wait_s = self._settings.wait_s
        passing = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
        until = time.monotonic() + wait_s
        while True:
            try:
                found = self._consumer.get_watermark_offsets(tp, wait_s)
            except KafkaException as error:
                if error.args[0].code() not in passing or time.monotonic() > until:
                    raise
                time.sleep(AGAIN_S)
            else:
                return int(found[0]), int(found[1])

    def _away(self, why: str) -> KafkaAway:
        return KafkaAway(
            f"no Kafka answers at {self._settings.kafka} within {self._settings.wait_s:g} s "
            f"({why}); set HEADWATER_KAFKA or run `headwater up`"
        )


_decode = msgspec.json.Decoder(Body).decode


def _letter(message: Any) -> Letter | None:
    try:
        body = _decode(message.value() or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Letter(message.offset(), message.key(), message.timestamp()[1] / 1000, body)


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka,
        "group.id": f"{settings.group}-dead-letters",  # nothing is committed; it must have one
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "queued.max.messages.kbytes": 16_384,
        "log_level": 0,  # errors come as exceptions with a remedy
    }
