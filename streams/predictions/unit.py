"""Predictors as a unit of the worker, and the same shard without Kafka.

unit = PredictorsUnit(settings, telemetry, send)
report = replay_offline(examples.read("elec.csv", "elec", "class"), settings, "elec")
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from contracts.control import OF_LISTS
from contracts.errors import SettingsError
from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, FEATURES, LABELS
from learners.predictor import Predictor
from streams.predictions.shard import PredictorsShard
from streams.shards import (
    Batch,
    Effects,
    NoTelemetry,
    PlainRecord,
    Send,
    Telemetry,
    send_nowhere,
)
from streams.sources.examples import Example


class PredictorsUnit:
    """Builds one shard per partition of `features` and `labels`.

    `send` delivers packed Redis commands.

    Raises:
        SettingsError: a predictor in the settings is none; said here, before anything starts.
    """

    topics = (FEATURES.name, LABELS.name)

    def __init__(self, settings: Settings, telemetry: Telemetry, send: Send) -> None:
        check(settings)
        self.models = tuple(settings.predictors)
        self._settings, self._telemetry, self._send = settings, telemetry, send
        self.shards: dict[int, PredictorsShard] = {}

    def open(self, partition: int) -> PredictorsShard:
        """Return the empty state of a partition."""
        shard = PredictorsShard(partition, self._settings, self._telemetry, self._send)
        self.shards[partition] = shard
        return shard

    def close(self, partition: int) -> None:
        """Forget a partition's state."""
        self.shards.pop(partition, None)


class Report(NamedTuple):
    """What an offline replay found; `figures` are those of `learners.predictor_score`."""

    predictor: str
    events: int
    dead_letters: int
    figures: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return it flat, e.g. {"predictor", "events", "dead_letters", "judged", "accuracy"}."""
        head = {"predictor": self.predictor, "events": self.events}
        return {**head, "dead_letters": self.dead_letters, **self.figures}


def check(settings: Settings) -> None:
    """Build every predictor once.

    Raises:
        SettingsError: one is none, or has a name that orders know otherwise; the message names it
            and the remedy.
    """
    for name, path in settings.predictors.items():
        if name in OF_LISTS:
            raise SettingsError(
                f"HEADWATER_PREDICTORS {name}={path}: '{name}' is what makes lists, also in "
                "`headwater reset`; give the predictor another name"
            )
        Predictor(name, path)


def replay_offline(rows: Iterable[Example], settings: Settings, name: str) -> Report:
    """Run rows through the shard of a worker, features before label, without Kafka or Redis.

    `events` are rows; one whose features or label became a dead letter is not judged.

    Raises:
        SettingsError: the settings name no such predictor, or it is none.
    """
    if name not in settings.predictors:
        raise SettingsError(
            f"HEADWATER_PREDICTORS names no '{name}'; "
            f"set HEADWATER_PREDICTORS={name}=package.module:factory"
        )
    only = {name: settings.predictors[name]}
    shard = PredictorsShard(
        0, msgspec.structs.replace(settings, predictors=only), NoTelemetry(), send_nowhere
    )
    events = dead = 0
    for effects in _folded(shard, rows):
        events += 1
        dead += sum(message.topic == DEAD_LETTERS.name for e in effects for message in e.messages)
    return Report(name, events, dead, shard.predictors[name].score.figures())


def _folded(shard: PredictorsShard, rows: Iterable[Example]) -> Iterator[list[Effects]]:
    for offset, row in enumerate(rows):
        effects = []
        for topic, value in zip((FEATURES.name, LABELS.name), row, strict=True):
            if value is not None:
                effects.append(shard.handle(Batch(topic, 0, [_record(value, offset)])))
        yield effects


def _record(value: dict[str, Any], offset: int) -> PlainRecord:
    ms = math.ceil(value["ts"] * 1000)
    return PlainRecord(offset, ms, msgspec.json.encode(value), str(value["id"]).encode())
