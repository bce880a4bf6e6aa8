"""Gives orders: asks where the logs end now, seals and produces; for the command line."""

from collections.abc import Sequence

from contracts.control import FORGET, Control, Points, alias
from contracts.errors import KafkaAway, TopicsDiffer
from contracts.settings import Settings
from contracts.topics import CONTROL, FEATURES, INTERACTIONS, LABELS, REKEYED, Topic
from streams.control.seal import Seal
from streams.kafka import offsets
from streams.kafka.partitioner import Partitioner
from streams.kafka.topics import name

GOVERNED = (INTERACTIONS, REKEYED)
PREDICTED = (FEATURES, LABELS)


def ends(settings: Settings, topics: Sequence[Topic] = GOVERNED) -> Points:
    """Return where the logs end that orders are about.

    Raises:
        KafkaAway: no broker answers.
        TopicsDiffer: a topic is missing.
    """
    found: Points = {}
    plain = {name(topic, settings): topic.name for topic in topics}
    for at in offsets.progress(settings):
        if at.topic in plain:
            found.setdefault(plain[at.topic], {})[at.partition] = at.end
    if missing := set(plain.values()) - set(found):
        raise TopicsDiffer(f"topic '{sorted(missing)[0]}' is missing; run `headwater topics`")
    return found


def governing(settings: Settings, learner: str) -> Sequence[Topic]:
    """Return the topics in whose logs an order about a learner holds."""
    return PREDICTED if learner in settings.predictors else GOVERNED


def farewell(settings: Settings, user: str, exact: bool) -> Control:
    """Return the order to forget a person, from the logs' ends on; who gives it is filled in later.

    It concerns the one partition that the person's events belong to, and all predictors.

    Raises:
        KafkaAway: no broker answers.
        TopicsDiffer: a topic is missing.
    """
    return about(settings, user, ends(settings, _concerned(settings)), exact)


def about(settings: Settings, user: str, found: Points, exact: bool = False) -> Control:
    """Return the same, for logs that end so."""
    counts = len(found[INTERACTIONS.name])
    own = Partitioner(settings.partitioner, counts)(user)
    at = {topic: {own: found[topic].get(own, 0)} for topic in (t.name for t in GOVERNED)}
    at |= {topic.name: found[topic.name] for topic in PREDICTED if topic.name in found}
    person, everywhere = alias(settings.snapshot_key, user), found[INTERACTIONS.name]
    return Control("", FORGET, at, 0.0, person=person, exact=exact, ends=everywhere)


def _concerned(settings: Settings) -> Sequence[Topic]:
    return (*GOVERNED, *PREDICTED) if settings.predictors else GOVERNED


def give(settings: Settings, order: Control) -> None:
    """Produce an order and return when every replica has it.

    Raises:
        KafkaAway: the broker did not take it.
    """
    from confluent_kafka import KafkaException, Producer

    failed: list[str] = []
    message = Seal(settings).sealed(order)
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": int(settings.wait_s * 1000),
            "log_level": 0,
        }
    )
    try:
        producer.produce(
            name(CONTROL, settings),
            message.value,
            partition=message.partition,
            headers=list(message.headers),
            on_delivery=lambda error, _: failed.append(str(error)) if error else None,
        )
    except KafkaException as error:
        failed.append(error.args[0].str())
    producer.flush(settings.wait_s + 1.0)
    if failed or len(producer):
        raise KafkaAway(
            f"the broker at {settings.kafka} did not take the order "
            f"({failed[0] if failed else 'no answer'}); look at `headwater status`"
        )
