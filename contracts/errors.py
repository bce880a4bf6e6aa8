"""Every error a user can meet, and the exit code each one ends a command with.

    HeadwaterError
    ├── SettingsError        a setting is missing or wrong
    ├── InputError           a file, an option or an argument is wrong
    ├── KafkaAway            no broker answers
    ├── RedisAway            no Redis answers
    ├── TopicsDiffer         the topics on the broker are not the ones agreed on
    ├── StateRefused         a snapshot cannot be continued from
    ├── WorkerStalled        there is lag and nothing moves, or a task died
    ├── ServiceFailed        a local Kafka or Redis did not start
    └── NotObeyed            an order was not carried out everywhere

A message says what, where, and what to do now, in one line.
"""

from contracts import exits


class HeadwaterError(Exception):
    """Something went wrong that a user can mend; `str()` is the one line to print."""

    exit_code = exits.FAILED.code


class SettingsError(HeadwaterError):
    """A setting is missing or wrong."""

    exit_code = exits.SETTINGS.code


class InputError(HeadwaterError):
    """A file, an option or an argument is wrong."""

    exit_code = exits.USAGE.code


class KafkaAway(HeadwaterError):
    """No broker answers at the address in the settings."""

    exit_code = exits.KAFKA_AWAY.code


class RedisAway(HeadwaterError):
    """No Redis answers at the address in the settings."""

    exit_code = exits.REDIS_AWAY.code


class TopicsDiffer(HeadwaterError):
    """The topics on the broker are not the ones agreed on."""

    exit_code = exits.TOPICS_DIFFER.code


class StateRefused(HeadwaterError):
    """A snapshot cannot be continued from: wrong signature, versions or log."""

    exit_code = exits.STATE_REFUSED.code


class WorkerStalled(HeadwaterError):
    """A task of the worker died, or there is lag and nothing moves."""

    exit_code = exits.STALLED.code


class ServiceFailed(HeadwaterError):
    """A local Kafka or Redis did not start."""

    exit_code = exits.SERVICE_FAILED.code


class NotObeyed(HeadwaterError):
    """An order was given, and not carried out everywhere in time, or refused."""

    exit_code = exits.NOT_OBEYED.code
