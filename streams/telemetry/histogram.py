"""A histogram that takes a whole batch at once.

prometheus-client's own takes one value at a time, some 1.5 µs each; here one `searchsorted` and
one `bincount` sort a batch into its buckets, some 0.03 µs a value.
"""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from prometheus_client import Metric as Family
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from contracts.metrics import Metric

Floats = npt.NDArray[np.float64]


class Buckets:
    """Counts per bucket and the sum of one histogram with given labels.

    >>> buckets = Buckets((0.1, 1.0))
    >>> buckets.add_many(np.array([0.1, 0.5, 7.0]))
    >>> buckets.counts.tolist(), buckets.sum
    ([1.0, 1.0, 1.0], 7.6)
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = np.asarray(bounds, dtype=np.float64)
        self.counts: Floats = np.zeros(len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float, n: int = 1) -> None:
        """Add one value `n` times."""
        if math.isfinite(value):
            self.counts[self.bounds.searchsorted(value)] += n
            self.sum += max(value, 0.0) * n

    def add_many(self, values: Floats, weights: Floats | None = None) -> None:
        """Add each value, `weights[i]` times if given; what is not finite is ignored."""
        values = np.maximum(values, 0.0)  # below zero: two clocks disagree by a millisecond
        total = float(values.sum() if weights is None else values @ weights)
        if not np.isfinite(total):
            good = np.isfinite(values)
            if good.all():
                return
            self.add_many(values[good], None if weights is None else weights[good])
            return
        places = self.bounds.searchsorted(values)
        self.counts += np.bincount(places, weights, len(self.counts))
        self.sum += total


class Histogram(Collector):
    """All label sets of one histogram, as prometheus-client collects them."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Buckets] = {}
        self._bounds = [*(str(float(bound)) for bound in metric.buckets), "+Inf"]
        if not metric.labels:
            self.labels()

    def labels(self, **labels: object) -> Buckets:
        """Return the buckets for these labels; they must be those of the metric.

        Raises:
            ValueError: other labels than the table names.
        """
        if set(labels) != set(self._metric.labels):
            raise ValueError(f"{self._metric.name} has the labels {self._metric.labels}")
        key = tuple(str(labels[name]) for name in self._metric.labels)
        return self._children.setdefault(key, Buckets(self._metric.buckets))

    def remove(self, *values: str) -> None:
        """Show these label values no longer."""
        self._children.pop(values, None)

    def describe(self) -> Iterable[Family]:
        """Name the family, so that the registry need not collect it at registration."""
        return [self._family()]

    def collect(self) -> Iterable[Family]:
        """Return the family with every label set as it stands now."""
        family = self._family()
        for key, child in list(self._children.items()):
            cumulative = child.counts.cumsum().tolist()
            family.add_metric(
                list(key), list(zip(self._bounds, cumulative, strict=True)), child.sum
            )
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(
            self._metric.name, self._metric.holds, labels=self._metric.labels
        )
