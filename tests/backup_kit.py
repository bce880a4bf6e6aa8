"""Helps tests of what is saved: a worker that learns, commands as a user gives them."""

from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from contracts.settings import Settings
from headwater.cli import main
from tests import children
from tests.producers_world import World, groups


def of(settings: Settings, folder: Path, partitions: int) -> World:
    """Return a world of so many partitions."""
    given = msgspec.structs.replace(settings, partitions=partitions, snapshot_every_s=0.5)
    return World(given, folder)


def command(settings: Settings, *argv: str) -> int:
    """Give a command under these settings; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in children.environ(settings).items():
            patch.setenv(name, value)
        return main(argv)


def send(settings: Settings, group: int) -> int:
    """Send a group's events; return how many messages that are."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
    events = groups()[group]
    for event in events:
        producer.produce(f"{settings.topic_prefix}interactions", event.value, event.user)
    assert producer.flush(30) == 0
    return len(events)


def learned(world: World, *numbers: int) -> None:
    """Let a worker learn groups of events, each worker one."""
    for number in numbers:
        with world.worker():
            n = send(world.settings, number)
            world.until(lambda n=n: world.came() >= n)  # type: ignore[misc]
