"""How far the consumer group has come: committed offsets beside the ends of the partitions."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, OffsetAndMetadata, OffsetSpec, TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError
from kafka.protocol.consumer.offsets import IsolationLevel

from contracts.settings import Settings
from contracts.topics import FEATURES, INTERACTIONS, LABELS, REKEYED
from streams.kafka.admin import admin
from streams.kafka.log_ends import Bounds
from streams.kafka.topics import name

COORDINATOR_S = 15.0
CONSUMED = (INTERACTIONS, REKEYED, FEATURES, LABELS)


class Progress(NamedTuple):
    """One partition: offset of its first and next record, and where the group goes on.

    `committed` is None where the group has committed nothing. Offsets tell monitors about lag;
    a worker itself goes on from its snapshot.
    """

    topic: str
    partition: int
    begin: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        """How many records the group has not yet processed; all that are kept if it is new."""
        return max(0, self.end - max(self.begin, self.committed or 0))


def progress(settings: Settings, wait_s: float | None = None) -> list[Progress]:
    """Return the group's progress on every partition that workers consume, in order.

    Topics that do not exist are left out.

    Raises:
        KafkaAway: no broker answers.
    """
    with admin(settings, wait_s) as client:
        found = client.describe_topics([name(topic, settings) for topic in CONSUMED])
        spots = [
            TopicPartition(topic["name"], part["partition_index"])
            for topic in found
            if topic["error_code"] == 0
            for part in topic["partitions"]
        ]
        if not spots:
            return []
        begins = client.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.EARLIEST))
        ends = client.list_partition_offsets(
            dict.fromkeys(spots, OffsetSpec.LATEST), IsolationLevel.READ_COMMITTED
        )
        committed = _committed(client, settings.group, spots)
    offsets = {spot: committed[spot].offset for spot in spots if spot in committed}
    return [
        Progress(
            spot.topic,
            spot.partition,
            begins[spot].offset,
            ends[spot].offset,
            at if (at := offsets.get(spot, -1)) >= 0 else None,
        )
        for spot in sorted(spots)
    ]


def bounds(settings: Settings) -> dict[tuple[str, int], Bounds]:
    """Return the bounds of all that workers consume, by topic without the prefix, and partition.

    Raises:
        KafkaAway: no broker answers.
    """
    prefix = len(settings.topic_prefix)
    return {
        (at.topic[prefix:], at.partition): Bounds(at.begin, at.end) for at in progress(settings)
    }


def members(settings: Settings) -> int:
    """Return how many workers of the group run.

    Raises:
        KafkaAway: no broker answers.
    """
    with admin(settings) as client:
        found = _coordinated(lambda: client.describe_groups([settings.group]))
    return len(found[settings.group]["members"])


def _committed(
    client: KafkaAdminClient, group: str, spots: list[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    found: dict[TopicPartition, OffsetAndMetadata] = _coordinated(
        lambda: client.list_group_offsets({group: spots})
    )[group]
    return found


def _coordinated(ask: Callable[[], Any]) -> Any:
    """Ask again while a broker that is new or has just returned prepares what it has of groups."""
    deadline = time.monotonic() + COORDINATOR_S
    while True:
        try:
            return ask()
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
