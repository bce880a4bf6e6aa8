"""From outside: how long after Kafka's timestamp does a reader find a new user's list?

    python -m benchmarks.probe PER_SECOND SECONDS

Each probe is a user nobody has seen. The broker's acknowledgement tells the timestamp that it
gave (whole milliseconds, rounded down: what is told here is up to 1 ms too long); then the list
is asked for until it is there. Kafka's clock and ours are one: everything runs on one machine.
"""

import os
import sys
import time
from typing import Any

import msgspec

from contracts import keys
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS
from streams.kafka.producer import PARTITIONERS

ASK_EVERY_S = 0.0003
GIVE_UP_S = 10.0


def probe(settings: Settings, per_second: float, seconds: float) -> list[float]:
    """Return the seconds from Kafka's timestamp to the list, one per probe."""
    from confluent_kafka import Producer
    from redis import Redis

    producer = Producer(
        {
            "bootstrap.servers": settings.kafka,
            "partitioner": PARTITIONERS[settings.partitioner],
            "linger.ms": 0,
        }
    )
    redis, found, start = Redis.from_url(settings.redis), [], time.monotonic()
    for n in range(int(per_second * seconds)):
        time.sleep(max(0.0, start + n / per_second - time.monotonic()))
        if time.monotonic() > start + seconds:
            break  # the lists come slower than the probes were to go
        found.append(_one(producer, redis, settings, f"probe-{settings.group}-{n}"))
    redis.close()
    return found


def _one(producer: Any, redis: Any, settings: Settings, user: str) -> float:
    stamps: list[int] = []

    def delivered(_error: object, message: Any) -> None:
        stamps.append(message.timestamp()[1])

    event = {"event_id": user, "user": user, "item": "item-1", "action": "view", "ts": time.time()}
    value, topic = msgspec.json.encode(event), settings.topic_prefix + INTERACTIONS.name
    producer.produce(topic, value, user.encode(), on_delivery=delivered)
    key, gone = keys.REC.at(settings.key_prefix, user=user), time.time()
    there = 0.0
    while not (stamps and there):
        producer.poll(0)
        if not there and redis.get(key):
            there = time.time()
        if time.time() > gone + GIVE_UP_S:
            return GIVE_UP_S
        time.sleep(ASK_EVERY_S)
    return there - stamps[0] / 1000


if __name__ == "__main__":
    rate_, seconds_ = map(float, sys.argv[1:])
    print(msgspec.json.encode(probe(read(os.environ), rate_, seconds_)).decode())
