"""How long the broker keeps what it has now."""

from collections.abc import Sequence

from contracts.settings import Settings
from contracts.topics import Topic
from streams.kafka.admin import admin
from streams.kafka.topics import configs, name


def kept_s(settings: Settings, topics: Sequence[Topic]) -> dict[str, float | None]:
    """Return the seconds after which the broker has dropped a message of today, None for never.

    A segment goes as a whole, when its newest message is older than the topic's retention; it takes
    messages for `segment.ms` at most. Topics that do not exist are left out.

    Raises:
        KafkaAway: no broker answers.
    """
    with admin(settings) as client:
        wanted = {name(topic, settings): topic.name for topic in topics}
        there = [t["name"] for t in client.describe_topics(list(wanted)) if not t["error_code"]]
        return {wanted[here]: _kept_s(c) for here, c in configs(client, there).items()}


def _kept_s(config: dict[str, str]) -> float | None:
    """Return it for one topic.

    >>> _kept_s({"cleanup.policy": "delete", "retention.ms": "5000", "segment.ms": "1000"})
    6.0
    """
    retention = int(config.get("retention.ms", "-1"))
    if "delete" not in config.get("cleanup.policy", "delete") or retention < 0:
        return None
    return (retention + int(config.get("segment.ms", "0"))) / 1000
