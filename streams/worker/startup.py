"""Before a worker starts: Kafka and Redis answer, the topics are there, a key signs."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Protocol

from contracts.errors import RedisAway, SettingsError, TopicsDiffer
from contracts.settings import Settings, masked
from contracts.topics import CONTROL, INTERACTIONS, ITEMS
from state.manifest import Log
from streams.kafka.admin import admin
from streams.kafka.topics import REBUILD
from streams.worker.waits import Backoff


class Folding(Protocol):
    """What folds topics: a unit, or its class."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Names without the prefix."""


def check_key(settings: Settings) -> None:
    """Raise SettingsError unless there is a key to sign snapshots with."""
    if not settings.snapshot_key:
        raise SettingsError(
            "HEADWATER_SNAPSHOT_KEY is empty, and snapshots must be signed: set it to a secret, "
            "the same for all workers; or leave HEADWATER_REDIS unset as well: the key that "
            "`headwater up` makes goes with the Redis that it starts"
        )


def check_kafka(settings: Settings) -> None:
    """Return when a broker answers, at most after `wait_s`.

    Raises:
        KafkaAway: none did.
    """
    with admin(settings) as client:
        client.describe_cluster()


def identify(settings: Settings, units: Sequence[Folding]) -> Log:
    """Return which cluster and topics the settings lead to, waiting up to `wait_s`.

    Raises:
        KafkaAway: no broker answers.
        TopicsDiffer: a topic is missing, or has another number of partitions than it must.
    """
    read = [topic for unit in units for topic in unit.topics] + [CONTROL.name, ITEMS.name]
    names = {topic: settings.topic_prefix + topic for topic in read}
    with admin(settings) as client:
        cluster = str(client.describe_cluster()["cluster_id"])
        found = {t["name"]: t for t in client.describe_topics(list(names.values()))}
    there = {topic: found[name] for topic, name in names.items()}
    for topic, described in there.items():
        if described["error_code"]:
            raise TopicsDiffer(f"topic '{names[topic]}' is missing; run `headwater topics`")
    _check_count(there, settings)
    if (count := len(there.pop(ITEMS.name)["partitions"])) != 1:
        raise TopicsDiffer(
            f"topic '{names[ITEMS.name]}' must have one partition, not {count}: delete it, run "
            "`headwater topics` and send the catalogue again"
        )
    return _log(cluster, there, units, settings.partitioner)


def _check_count(there: dict[str, Any], settings: Settings) -> None:
    if INTERACTIONS.name in there:
        found = len(there[INTERACTIONS.name]["partitions"])
        if found != settings.partitions:
            raise TopicsDiffer(
                f"topic '{settings.topic_prefix}{INTERACTIONS.name}' has {found} partitions, "
                f"HEADWATER_PARTITIONS is {settings.partitions}: {REBUILD.format(found=found)}"
            )


def _log(cluster: str, there: dict[str, Any], units: Sequence[Folding], partitioner: str) -> Log:
    ids = {topic: str(described["topic_id"] or "") for topic, described in there.items()}
    counts = {topic: len(described["partitions"]) for topic, described in there.items()}
    for unit in units:
        if len({counts[topic] for topic in unit.topics}) > 1:
            unlike = ", ".join(f"{topic} has {counts[topic]}" for topic in unit.topics)
            raise TopicsDiffer(
                f"partition counts must be alike: {unlike}; run `headwater topics --check`"
            )
    return Log(cluster, ids, counts, partitioner)


async def wait_for_redis(ping: Any, away: tuple[type[Exception], ...], settings: Settings) -> None:
    """Return when Redis answers.

    Raises:
        RedisAway: it did not within `wait_s`.
    """
    backoff, deadline = Backoff(), time.monotonic() + settings.wait_s
    while True:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + settings.wait_s):
                await ping()
        except away as error:
            if time.monotonic() > deadline:
                raise RedisAway(
                    f"no Redis answers at {masked(settings.redis)} within "
                    f"{settings.wait_s:g} s ({error}); check HEADWATER_REDIS, or run `headwater up`"
                ) from None
            await backoff.sleep()
        else:
            return
