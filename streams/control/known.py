"""Which orders there are now, for a command."""

from collections.abc import Iterable
from itertools import chain

from contracts.settings import Settings
from contracts.topics import CONTROL
from streams.control.schedule import Schedule
from streams.control.seal import Seal
from streams.decode import DeadMessage
from streams.kafka.reading import everything
from streams.shards import Record


def known(settings: Settings) -> Schedule:
    """Return the orders that `control` has now.

    Raises:
        KafkaAway: no broker answers.
    """
    return scheduled(Seal(settings), chain.from_iterable(everything(settings, CONTROL.name)))


def scheduled(seal: Seal, records: Iterable[Record]) -> Schedule:
    """Return the orders among messages; to others, workers have said what they are."""
    schedule = Schedule()
    for record in records:
        try:
            schedule.add(record.offset, seal.read(record))
        except DeadMessage:
            continue
    return schedule
