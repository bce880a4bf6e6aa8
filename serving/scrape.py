"""Reads the /metrics of workers and adds them up, as Prometheus would see them."""

import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from itertools import pairwise
from math import inf, nan

from contracts.metrics import EVENTS, Metric

TIMEOUT_S = 2.0
Labels = frozenset[tuple[str, str]]


class Samples:
    """What workers said at one moment, added up.

    Ratios are averaged instead, each worker's weighing what it has learned.

    >>> from contracts.metrics import DRIFTS
    >>> one = Samples('headwater_drifts_total{model="lists"} 2.0')
    >>> Samples.together([one, one]).total(DRIFTS)
    4.0
    """

    def __init__(self, text: str = "") -> None:
        self._values: dict[str, dict[Labels, float]] = defaultdict(dict)
        for name, labels, value in _parsed(text):
            self._values[name][labels] = value

    @classmethod
    def together(cls, workers: Sequence["Samples"]) -> "Samples":
        """Return the samples of several workers as one."""
        weights = [1e-9 + worker.total(EVENTS, outcome="learned") for worker in workers]
        whole, weighed = cls(), cls()
        for worker, weight in zip(workers, weights, strict=True):
            for name, values in worker.families().items():
                factor = weight if name.endswith("_ratio") else 1.0
                for labels, value in values.items():
                    whole._put(name, labels, value * factor)
                    weighed._put(name, labels, factor)
        for name in [name for name in whole._values if name.endswith("_ratio")]:
            for labels in whole._values[name]:
                whole._values[name][labels] /= weighed._values[name][labels]
        return whole

    def families(self) -> Mapping[str, Mapping[Labels, float]]:
        """Return every sample by name and labels, names as they stand in the exposition."""
        return self._values

    def total(self, metric: Metric, **labels: str) -> float:
        """Return the sum over all label sets that have these labels; 0 where there is none."""
        name = metric.name + ("_total" if metric.kind == "counter" else "")
        return sum(self._matching(name, labels).values())

    def by(self, metric: Metric, label: str, **labels: str) -> dict[str, float]:
        """Return the sums by the values of one label."""
        name = metric.name + ("_total" if metric.kind == "counter" else "")
        found: dict[str, float] = defaultdict(float)
        for key, value in self._matching(name, labels).items():
            found[dict(key)[label]] += value
        return dict(found)

    def has(self, metric: Metric, **labels: str) -> bool:
        """Return whether there is such a sample at all."""
        return bool(self._matching(metric.name, labels))

    def buckets(self, metric: Metric) -> dict[float, float]:
        """Return a histogram's counts up to each upper bound, bounds rising, the last infinite."""
        found: dict[float, float] = defaultdict(float)
        for labels, value in self._values[metric.name + "_bucket"].items():
            found[float(dict(labels)["le"])] += value
        return dict(sorted(found.items()))

    def _put(self, name: str, labels: Labels, more: float) -> None:
        self._values[name][labels] = self._values[name].get(labels, 0.0) + more

    def _matching(self, name: str, labels: Mapping[str, str]) -> dict[Labels, float]:
        wanted = labels.items()
        return {key: value for key, value in self._values[name].items() if wanted <= set(key)}


def scrape(url: str) -> Samples | None:
    """Return what the worker at `url` says, `None` if it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the user's own URL
            return Samples(answer.read().decode())
    except (OSError, HTTPException, ValueError):
        return None


def answers(url: str) -> bool:
    """Return whether `url` answers with 200: `/readyz` only when the worker works."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - see above
            return True
    except (OSError, HTTPException):
        return False


def since(now: Mapping[float, float], before: Mapping[float, float]) -> dict[float, float]:
    """Return the buckets of what came between two moments; all of `now` after a restart."""
    fallen = any(now.get(bound, 0.0) < count for bound, count in before.items())
    return {
        bound: count - (0.0 if fallen else before.get(bound, 0.0)) for bound, count in now.items()
    }


def quantile(q: float, buckets: Mapping[float, float]) -> float:
    """Return the q-quantile of a histogram, straight lines within buckets; NaN if it is empty.

    Beyond the last finite bound it is that bound, as in Prometheus.

    >>> quantile(0.5, {1.0: 2.0, 2.0: 4.0, float("inf"): 4.0})
    1.0
    """
    rows = [(0.0, 0.0), *buckets.items()]
    rank = q * rows[-1][1]
    for (low, under), (high, upto) in pairwise(rows):
        if upto >= rank and upto > under:
            return low if high == inf else low + (high - low) * (rank - under) / (upto - under)
    return nan


def _parsed(text: str) -> Iterable[tuple[str, Labels, float]]:
    from prometheus_client.parser import text_string_to_metric_families

    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, frozenset(sample.labels.items()), sample.value
