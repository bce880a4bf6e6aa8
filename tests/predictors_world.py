"""Logs of features and labels, workers that predict, and what bare River loops make of the same.

Each record has a millisecond of its own, so the order of both topics is that of their times.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

import msgspec
from faust.types import TP

from contracts.control import Control
from contracts.settings import Settings
from contracts.topics import FEATURES, LABELS
from learners.examples import elec
from streams.predictions.unit import PredictorsUnit
from streams.shards import NoTelemetry, PlainRecord, send_nowhere
from tests.orders_world import SETTINGS, Living, Places

ASKS, TELLS = FEATURES.name, LABELS.name
BOTH = ("churn", "fraud")
TWO: Settings = msgspec.structs.replace(
    SETTINGS, predictors=dict.fromkeys(BOTH, "learners.examples:elec")
)
PROBE = {"price": 0.3, "demand": 0.6}
T0 = 1_000_000_000  # seconds


class Desk(Places):
    """Where predictors are asked and told."""

    def __init__(self) -> None:
        super().__init__(1, (ASKS, TELLS))
        self.ids = 0
        self.versions: dict[str, tuple[int, int, int]] = {}

    def ask(self, name: str, x: dict[str, Any]) -> int:
        """Append features; return their id."""
        self.ids += 1
        self._append(ASKS, {"predictor": name, "id": self.ids, "x": x})
        return self.ids

    def tell(self, name: str, id_: int, y: Any) -> None:
        """Append a label."""
        self._append(TELLS, {"predictor": name, "id": id_, "y": y})

    def teach(self, name: str, n: int, seed: int = 0, wrong: bool = False) -> None:
        """Append features and their labels, in turn; wrong ones teach the contrary."""
        rng = random.Random(seed)  # noqa: S311 - no secret
        for _ in range(n):
            x = row(rng)
            self.tell(name, self.ask(name, x), truth(x) != wrong)

    def _append(self, topic: str, body: dict[str, Any]) -> None:
        log = self.logs[TP(topic, 0)]
        ms = T0 * 1000 + sum(map(len, self.logs.values()))
        value = msgspec.json.encode({**body, "ts": float(T0)})
        log.append(PlainRecord(len(log), ms, value, str(body["id"]).encode()))

    def orders_given(self) -> Iterator[tuple[int, Control]]:
        """Yield each order with its position in `control`."""
        for record in self.control:
            said = self.seal.read(record)
            if said.action != "mark":
                yield record.offset, said


def row(rng: random.Random) -> dict[str, Any]:
    return {"price": rng.random(), "demand": rng.random()}


def truth(x: dict[str, Any]) -> bool:
    return bool(x["price"] > x["demand"])


class Bare:
    """A River estimator in a loop, and what is known of it."""

    def __init__(self) -> None:
        self.estimator = elec()
        self.learned = self.judged = 0
        self.frozen = False
        self.waiting: dict[int, tuple[dict[str, Any], Any]] = {}

    def anew(self, other: "Bare | None" = None) -> None:
        """Begin from nothing, or from an earlier one; what waits goes on waiting."""
        self.estimator = copy.deepcopy(other.estimator) if other else elec()
        self.learned = other.learned if other else 0

    def told(self, id_: int, y: Any) -> None:
        """Judge the answer that was given, then learn."""
        found = self.waiting.pop(id_, None)
        if found is not None:
            self.judged += 1
            if not self.frozen:
                self.estimator.learn_one(found[0], y)
                self.learned += 1

    @property
    def known(self) -> tuple[Any, ...]:
        """What two that know the same have in common."""
        chance = self.estimator.predict_proba_one(PROBE)[True]
        return chance, self.learned, self.judged, sorted(self.waiting)


def offline(desk: Desk) -> dict[str, tuple[Any, ...]]:
    """Return what bare loops know of all of the log, with the orders where the marks are."""
    models = {name: Bare() for name in BOTH}
    orders = list(desk.orders_given())
    marks = [desk.marks(topic) for topic in (ASKS, TELLS)]
    places = {o.id: tuple(found[o.id][0] for found in marks) for _, o in orders}
    at, position, versions = (0, 0), 0, dict[tuple[int, int, int], dict[str, Bare]]()
    records = [(r, tp.topic) for tp, log in desk.logs.items() for r in log]
    for record, topic in [*sorted(records, key=lambda found: found[0].timestamp), (None, "")]:
        versions[*at, position] = copy.deepcopy(models)
        while orders and places[orders[0][1].id] == at:
            position, order = orders[0][0] + 1, orders.pop(0)[1]
            _obey(order, models, versions.get(desk.versions.get(order.version, (-1, -1, -1))))
            versions[*at, position] = copy.deepcopy(models)
        if record is not None:
            _live(models, topic, msgspec.json.decode(record.value or b""))
            at = (at[0] + (topic == ASKS), at[1] + (topic == TELLS))
    assert not orders, "an order does not hold anywhere"
    return {name: model.known for name, model in models.items()}


def _obey(order: Control, models: dict[str, Bare], version: dict[str, Bare] | None) -> None:
    model = models[order.learner]
    if order.action in ("freeze", "thaw"):
        model.frozen = order.action == "freeze"
    elif order.action == "reset":
        model.anew()
    elif order.since == "skip" and version is not None:
        model.anew(version[order.learner])


def _live(models: dict[str, Bare], topic: str, body: dict[str, Any]) -> None:
    model = models[body["predictor"]]
    if topic == ASKS:
        model.waiting[body["id"]] = body["x"], None
    else:
        model.told(body["id"], body["y"])


def worker(desk: Desk) -> Living:
    """Return a worker of both predictors, who keeps all versions."""
    return Living(desk, PredictorsUnit(TWO, NoTelemetry(), send_nowhere), kept=10_000)


async def version(living: Living, desk: Desk) -> str:
    """Save, and return what that is called, if anything is saved."""
    await living.save()
    saved = await living.store.all("predictors:0")
    for manifest in saved:
        where = [manifest.offsets.get(t, {}).get(0, 0) for t in (ASKS, TELLS, "control")]
        desk.versions[manifest.version] = (where[0], where[1], where[2])
    return saved[0].version if saved else ""


def known(living: Living) -> dict[str, tuple[Any, ...]]:
    """Return what a worker knows, as `Bare` says it."""
    shard = living.owned(0).shard
    found = {}
    for name in BOTH:
        predictor: Any = shard.predictors[name]  # type: ignore[attr-defined]
        chance = predictor.answer(PROBE).chances[True]
        waiting = sorted(map(int, shard.pending[name].ids()))  # type: ignore[attr-defined]
        judged = int(predictor.score.figures()["judged"])
        found[name] = (chance, predictor.version, judged, waiting)
    return found
