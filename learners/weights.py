"""Weights: what a fusion has learned, readable."""

from collections.abc import Iterator

import numpy as np

from contracts.metrics import EVERYBODY, GAP_S, HISTORY, SEGMENTS
from learners import features, room
from learners.recommender import Recommender


def weights(model: Recommender) -> dict[str, dict[str, float]]:
    """Return how much each generator counts in each segment: `{segment: {generator: share}}`.

    A share is the size of a generator's weights, those of everybody and those of the segment
    together, by that of all generators. Before the first event all are 0, those of a mixture equal.
    """
    shared = model.world.head.weight[0]
    found = {EVERYBODY: _shares(model, shared)}
    for row, name in enumerate(_segments(model), 1):
        found[name] = _shares(model, shared + model.world.head.weight[row])
    return found


def _shares(model: Recommender, weight: np.ndarray) -> dict[str, float]:
    scales = model.widths.scales
    ours, last = room.views_of(model.rules.use), model.views - scales
    content = {"content": range(room.VIEWS, ours)} if ours > room.VIEWS else {}
    foreign = {name: (ours + k,) for k, name in enumerate(model.foreign)}
    contexts = range(last - len(model.segments.names), last)
    views = {"popularity": range(-scales, 0), **room.GENERATORS, **content, **foreign}
    if contexts:
        views[SEGMENTS] = contexts
    sums = {name: float(sum(_size(weight, scales + v) for v in of)) for name, of in views.items()}
    whole = max(sum(sums.values()), 1e-12)
    return {name: size / whole for name, size in sums.items()}


def _size(weight: np.ndarray, view: int) -> float:
    first = features.PER_VIEW * view
    return float(np.abs(weight[first : first + features.PER_VIEW]).sum())


def _segments(model: Recommender) -> Iterator[str]:
    """Yield the names of the head's rows behind the first, each by where it begins."""
    segments = model.pipeline.segments
    yield from (f"{HISTORY}:{bound}" for bound in (0, *segments.history))
    yield from (f"{GAP_S}:{bound:.15g}" for bound in (0, *segments.gap_s))
