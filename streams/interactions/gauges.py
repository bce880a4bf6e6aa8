"""Gauges: what the partitions of a worker hold and how good their lists are, all together."""

from collections.abc import Iterable, Sequence

import numpy as np

from contracts import metrics
from learners import quality
from learners.arrays import JUDGED
from learners.quality import Quality
from learners.recommender import Recommender
from learners.weights import weights
from streams.shards import Telemetry

AGES = (0.5, 0.99)


def show_quality(telemetry: Telemetry, judges: Sequence[Quality]) -> None:
    """Set the quality gauges from the counts of all partitions."""
    spans = {
        "total": sum((judge.total for judge in judges), quality.zeros()),
        "window": sum((judge.recent for judge in judges), quality.zeros()),
    }
    for span, counts in spans.items():
        report = quality.report(counts)
        for list_ in ("stored", "fresh"):
            _show(telemetry, report[list_]["all"], model="lists", list=list_, span=span)
            if span == "total":
                telemetry.set(metrics.JUDGED, report[list_]["all"]["n"], list=list_)
        _show(telemetry, report["popular"]["all"], model="popularity", list="fresh", span=span)


def _show(telemetry: Telemetry, means: dict[str, float], **labels: str) -> None:
    """Set the gauges of what was judged; the mean of nothing is no figure."""
    if not means["n"]:
        return
    for measure in quality.MEASURES:
        telemetry.set(metrics.QUALITY, means[measure], measure=measure, **labels)


def show_state(telemetry: Telemetry, model: Recommender) -> None:
    """Set how much is held, and how much of the catalogue the last lists show."""
    held = {
        "users": sum(len(users.ids) for users in model.served),
        "items": len(model.ids),
        "hidden": len(model.hidden),
        "pairs": int(model.world.items.near_size.sum()),
    }
    for kind, size in held.items():
        telemetry.set(metrics.STATE_SIZE, size, kind=kind)
    telemetry.set(metrics.COVERAGE, _coverage(model))
    for segment, shares in weights(model).items():
        for generator, share in shares.items():
            telemetry.set(metrics.WEIGHTS, share, generator=generator, segment=segment)
    _show_ages(telemetry, model)


def _show_ages(telemetry: Telemetry, model: Recommender) -> None:
    made = [users.rows.made[users.rows.length > 0] for users in model.served]
    ages = model.latest - np.concatenate([np.empty(0), *made])
    if len(ages):
        some = ages[:: 1 + len(ages) // 10_000]  # all of a million would take 20 ms
        for quantile, age in zip(AGES, np.quantile(some, AGES).tolist(), strict=True):
            telemetry.set(metrics.LIST_AGE, max(age, 0.0), quantile=quantile)


def _coverage(model: Recommender) -> float:
    listed = np.zeros(len(model.world.items.seen) + 1, np.bool_)  # the last entry takes the -1
    for users in model.served:
        in_use = np.arange(JUDGED) < users.rows.length[:, None]
        listed[np.where(in_use, users.rows.listed, -1)] = True
    return float(listed[:-1].sum() / max(len(model.ids), 1))


class Evictions:
    """Counts what was let go since it was last asked."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}

    def show(self, telemetry: Telemetry, kind: str, evicted: Iterable[int]) -> None:
        """Raise the counter to what the maps say; a map that was dropped takes nothing back."""
        total = sum(evicted)
        more = total - self._counted.get(kind, 0)
        if more > 0:
            telemetry.count(metrics.EVICTIONS, more, kind=kind)
        self._counted[kind] = total
