"""The exit codes of `headwater`, in one table that docs/operate.md repeats."""

from typing import NamedTuple


class Exit(NamedTuple):
    """One exit code: its number, what it means and what to do now."""

    code: int
    meaning: str
    remedy: str


OK = Exit(0, "done", "nothing")
FAILED = Exit(1, "a fault of Headwater's own", "report it with the log")
USAGE = Exit(2, "a file, an option or an argument is wrong", "the message names it")
SETTINGS = Exit(10, "a setting is missing or wrong", "the message names it and what was expected")
KAFKA_AWAY = Exit(11, "no broker answers", "check HEADWATER_KAFKA, or run `headwater up`")
REDIS_AWAY = Exit(12, "no Redis answers", "check HEADWATER_REDIS, or run `headwater up`")
TOPICS_DIFFER = Exit(13, "topics are missing or differ", "run `headwater topics`")
STATE_REFUSED = Exit(14, "a snapshot cannot be continued from", "the message names the remedy")
STALLED = Exit(15, "a task died, or there is lag and nothing moves", "restart it, read the log")
SERVICE_FAILED = Exit(16, "a local Kafka or Redis did not start", "read its log file")
NOT_OBEYED = Exit(17, "an order was not carried out everywhere", "the message says where and why")
UNVERIFIED = Exit(
    18, "what is saved differs from the log, or cannot be compared", "the output says which and why"
)
INTERRUPTED = Exit(130, "Ctrl-C in a command that had not finished", "nothing")

EXITS = (
    OK,
    FAILED,
    USAGE,
    SETTINGS,
    KAFKA_AWAY,
    REDIS_AWAY,
    TOPICS_DIFFER,
    STATE_REFUSED,
    STALLED,
    SERVICE_FAILED,
    NOT_OBEYED,
    UNVERIFIED,
    INTERRUPTED,
)
