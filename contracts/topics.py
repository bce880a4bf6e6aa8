"""Every topic that Headwater reads or writes, in one table.

Values are JSON objects in UTF-8; the key decides the partition. `TOPICS.name(prefix)` is what
stands on the broker.
"""

from typing import NamedTuple

DAY_MS = 86_400_000
FOR_EVER_MS = 36_500 * DAY_MS  # Kafka knows no -1 here, and adds it to the time of day


class Topic(NamedTuple):
    """One topic: what its key is, how it is cleaned up, and who decides its partition count.

    `partitions` is None where the setting `partitions` decides. `append_time` is True where the
    broker stamps the records, so that time is part of the log and can be replayed.
    `retention_ms` -1 is for ever. `removed_for_good` keeps the tombstones of a compacted topic.
    """

    name: str
    key: str
    cleanup: str
    holds: str
    partitions: int | None = None
    append_time: bool = False
    retention_ms: int = 7 * DAY_MS
    removed_for_good: bool = False

    def config(self) -> dict[str, str]:
        """Return the topic's configuration as the broker spells it."""
        config = {"cleanup.policy": self.cleanup}
        if self.cleanup == "delete":
            config["retention.ms"] = str(self.retention_ms)
        if self.removed_for_good:
            config["delete.retention.ms"] = str(FOR_EVER_MS)
        if self.append_time:
            config["message.timestamp.type"] = "LogAppendTime"
        return config


INTERACTIONS = Topic(
    "interactions",
    "user",
    "delete",
    "who did what with which item; signed, of workers, what a guest did who is an account now",
    append_time=True,
)
REKEYED = Topic(
    "interactions-rekeyed",
    "user",
    "delete",
    "interactions that came to another user's partition; a signed header names the origin",
    append_time=True,
)
IMPRESSIONS = Topic("impressions", "user", "delete", "what was shown to whom")
ITEMS = Topic(
    "items",
    "item",
    "compact",
    "the catalogue; a tombstone removes an item",
    1,
    removed_for_good=True,  # else who reads it a day later would not know
)
USERS = Topic("users", "user", "compact", "people, and who was a guest; a tombstone erases one", 1)
FEATURES = Topic("features", "entity", "delete", "what a predictor is asked", 1, append_time=True)
LABELS = Topic("labels", "entity", "delete", "what turned out to be true", 1, append_time=True)
PREDICTIONS = Topic("predictions", "entity", "delete", "what was answered", 1)
DRIFTS = Topic("drifts", "model", "delete", "changes that the watchers found", 1)
CONTROL = Topic(
    "control",
    "",
    "delete",
    "freeze, thaw, reset, rollback, forget, and where in the logs they hold; signed",
    1,
    retention_ms=-1,  # few and small, and a replay of the oldest events needs them all
)
DEAD_LETTERS = Topic("dead-letters", "as it came", "delete", "what could not be used, and why", 1)

PERSONAL = (  # whose messages are about one person, or may be
    INTERACTIONS,
    REKEYED,
    IMPRESSIONS,
    USERS,
    FEATURES,
    LABELS,
    PREDICTIONS,
    DEAD_LETTERS,
)

TOPICS = (
    INTERACTIONS,
    REKEYED,
    IMPRESSIONS,
    ITEMS,
    USERS,
    FEATURES,
    LABELS,
    PREDICTIONS,
    DRIFTS,
    CONTROL,
    DEAD_LETTERS,
)
