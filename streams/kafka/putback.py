"""Puts messages of dead letters back to their topics, and notes in `dead-letters` that it did."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from contracts.events import REPLAYED
from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, FEATURES, INTERACTIONS, LABELS, REKEYED, Topic
from streams.kafka.producer import Sender

HEADER = "dead-letter"  # of a message that was put back: the number of its letter
AT_ONCE = 500
# What was re-keyed goes where it came from: only a worker may sign an origin.
BACK: dict[str, Topic] = {topic.name: topic for topic in (INTERACTIONS, FEATURES, LABELS)} | {
    REKEYED.name: INTERACTIONS
}


class Returned(NamedTuple):
    """A message to put back: the number of its letter, its topic without prefix, key and value."""

    number: int
    topic: str
    key: bytes | None
    value: bytes | None


def put_back(messages: Iterable[Returned], settings: Settings, tell: Callable[[int], None]) -> int:
    """Send messages in order, and when they have arrived, note it; return how many.

    A crash in between leaves at most `AT_ONCE` that are sent again the next time. Features have
    arrived before labels behind them are sent, since a label needs them.

    Raises:
        KafkaAway: no broker answers, or stops answering.
        TopicsDiffer: a topic is not there.
    """
    sender = Sender(settings, INTERACTIONS, FEATURES, LABELS, DEAD_LETTERS)
    sent, waiting, last = 0, list[Returned](), ""
    try:
        for message in messages:
            if len(waiting) == AT_ONCE or (waiting and message.topic != last):
                sent += _noted(sender, waiting)
                tell(sent)
            headers = [(HEADER, str(message.number).encode())]
            sender.send_bytes(message.key, message.value, BACK[message.topic], headers)
            waiting.append(message)
            last = message.topic
    finally:  # a later line of a file may be wrong: what came before it went
        sent += _noted(sender, waiting)
    tell(sent)
    return sent


def _noted(sender: Sender, waiting: list[Returned]) -> int:
    sender.finish()
    for message in waiting:
        body = {
            "reason": REPLAYED,
            "detail": f"put back to {BACK[message.topic].name}",
            "topic": DEAD_LETTERS.name,
            "partition": 0,
            "offset": message.number,
            "ts": time.time(),
            "key": None,
            "value_base64": "",
            "size": 0,
        }
        headers = [("reason", REPLAYED.encode())]
        sender.send_bytes(None, msgspec.json.encode(body), DEAD_LETTERS, headers)
    sender.finish()
    done = len(waiting)
    waiting.clear()
    return done
