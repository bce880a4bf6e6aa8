"""Creates the topics that are missing and says how those that stand differ from the contract."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    BrokerResponseError,
    InvalidReplicationFactorError,
    TopicAlreadyExistsError,
)

from contracts.errors import SettingsError, TopicsDiffer
from contracts.settings import Settings
from contracts.topics import TOPICS, Topic
from streams.kafka.admin import admin

REBUILD = (
    "the count decides which partition, and so which state, a user belongs to: set "
    "HEADWATER_PARTITIONS={found} to keep the state, or to change the count set a new "
    "HEADWATER_TOPIC_PREFIX, HEADWATER_KEY_PREFIX and HEADWATER_GROUP, run `headwater topics` "
    "and feed the events again with `headwater replay FILE`"
)
FIXED = "make the topic anew: delete it, then run `headwater topics`"
MEND = "run `kafka-configs.sh --alter --topic {topic} --add-config {what}={wanted}`"
COPIES = "run `kafka-reassign-partitions.sh`, or set HEADWATER_REPLICATION={found}"


class Difference(NamedTuple):
    """One thing in which a topic is not as agreed on, and what to do now.

    `fatal` means that a worker cannot work with it; `found` is empty where the topic is missing.
    """

    topic: str
    what: str
    found: str
    wanted: str
    remedy: str
    fatal: bool

    def __str__(self) -> str:
        """Say all of it in one line."""
        if not self.found:
            return f"{self.topic} is missing: {self.remedy}"
        return f"{self.topic}: {self.what} is {self.found}, not {self.wanted}: {self.remedy}"


def ensure(settings: Settings) -> list[Difference]:
    """Create the topics that are missing; return how the others differ, none if all is well.

    What exists is never changed: a retention or a count that somebody chose is theirs.

    Raises:
        KafkaAway: no broker answers.
        SettingsError: the cluster has fewer brokers than the setting `replication`.
        TopicsDiffer: the broker refuses to create a topic.
    """
    with admin(settings) as client:
        standing = _standing(client, settings)
        missing = [topic for topic in TOPICS if name(topic, settings) not in standing]
        if missing:
            _create(client, missing, settings)
            standing = _standing(client, settings)
        return list(_differences(client, standing, settings))


def check(settings: Settings, wait_s: float | None = None) -> list[Difference]:
    """Return how the topics differ, the missing ones included, and create nothing.

    It waits for the broker `wait_s`, else as long as the setting says.

    Raises:
        KafkaAway: no broker answers.
    """
    with admin(settings, wait_s) as client:
        return list(_differences(client, _standing(client, settings), settings))


def name(topic: Topic, settings: Settings) -> str:
    """Return the topic's name on the broker."""
    return settings.topic_prefix + topic.name


def partitions(topic: Topic, settings: Settings) -> int:
    """Return how many partitions the topic is to have."""
    return topic.partitions or settings.partitions


def _standing(client: KafkaAdminClient, settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return the partitions of each of our topics that exists, by the name on the broker."""
    names = [name(topic, settings) for topic in TOPICS]
    found = client.describe_topics(names)
    return {topic["name"]: topic["partitions"] for topic in found if topic["error_code"] == 0}


def _create(client: KafkaAdminClient, missing: list[Topic], settings: Settings) -> None:
    wanted = {
        name(topic, settings): {
            "num_partitions": partitions(topic, settings),
            "replication_factor": settings.replication,
            "configs": topic.config(),
        }
        for topic in missing
    }
    try:
        client.create_topics(wanted, raise_errors=True)
    except TopicAlreadyExistsError:
        pass  # somebody else starts at the same time
    except InvalidReplicationFactorError as error:
        raise SettingsError(
            f"HEADWATER_REPLICATION={settings.replication} needs as many brokers at "
            f"{settings.kafka}: {error}; set it lower or start more"
        ) from None
    except BrokerResponseError as error:
        raise TopicsDiffer(
            f"{settings.kafka} refuses to create {', '.join(wanted)}: {error}; "
            "create them yourself, then run `headwater topics`"
        ) from None
    client.wait_for_topics(list(wanted))


def _differences(
    client: KafkaAdminClient, standing: dict[str, list[dict[str, Any]]], settings: Settings
) -> Iterator[Difference]:
    found = configs(client, list(standing))
    for topic in TOPICS:
        here = name(topic, settings)
        if here not in standing:
            yield Difference(here, "topic", "", "", "run `headwater topics`", fatal=True)
            continue
        yield from _of_layout(here, topic, standing[here], settings)
        yield from _of_config(here, topic, found[here])


def _of_layout(
    here: str, topic: Topic, parts: list[dict[str, Any]], settings: Settings
) -> Iterator[Difference]:
    found, wanted = len(parts), partitions(topic, settings)
    if found != wanted:
        remedy = FIXED if topic.partitions else REBUILD.format(found=found)
        yield Difference(here, "partition count", str(found), str(wanted), remedy, fatal=True)
    copies = min(len(part["replica_nodes"]) for part in parts)
    if copies != settings.replication:
        text, remedy = str(copies), COPIES.format(found=copies)
        yield Difference(here, "replication", text, str(settings.replication), remedy, fatal=False)


def _of_config(here: str, topic: Topic, config: dict[str, str]) -> Iterator[Difference]:
    for what, wanted in topic.config().items():
        found = config.get(what, "unknown")
        if found != wanted:
            remedy = MEND.format(topic=here, what=what, wanted=wanted)
            # How long records stay is the operator's affair; the rest changes what we compute.
            yield Difference(here, what, found, wanted, remedy, fatal=what != "retention.ms")


def configs(client: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the configuration of topics by their names on the broker."""
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, here) for here in names]
    found = client.describe_configs(asked, config_filter="all")["topic"]
    return {here: {key: str(c["value"]) for key, c in found[here].items()} for here in names}
