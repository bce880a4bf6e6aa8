"""Batch peers: models of `implicit`, refitted at each full hour of event time.

Between two fits the model stands still, but the user's last items are those of this moment, as a
service in front of a batch model would know them. Strangers get what was popular at the last fit.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cases import HOUR
from benchmarks.peers.rankers.base import F64, Histories, behind

FACTORS, PASSES, NEIGHBOURS, SEED = 32, 3, 50, 1
RATES = (0.02, 0.2)  # one near the library's default, and one that makes up for few passes
Score = Callable[[Any, int, list[int]], F64]


class Batch(NamedTuple):
    """A library's model, and how a user with a history is scored by it."""

    model: Any
    score: Score


class Hourly:
    """Fit a model to every event so far, at each full hour in which anybody comes."""

    def __init__(self, users: int, items: int, batch: Batch) -> None:
        self._shape, self._batch = (users, items), batch
        self._user: list[int] = []
        self._item: list[int] = []
        self._fitted: Any = None  # users x items, what was chosen until the last fit
        self._popular: F64 = np.zeros(items)
        self._histories, self._hour = Histories(), -1.0
        self.fits, self.fit_s = 0, 0.0

    def score(self, user: int, ts: float, out: F64) -> None:
        """Write the model's scores for the items that it was fitted to."""
        if ts // HOUR != self._hour and self._user:
            self._fit()
            self._hour = ts // HOUR
        history = self._histories.of(user)
        if self._fitted is None:
            return
        out[:] = self._popular
        if any(self._popular[item] for item in history):
            scores = self._batch.score(self._batch.model, self._trained(user), history)
            out[:] = behind(np.where(self._popular > 0, scores, 0.0), self._popular)

    def learn(self, user: int, item: int, ts: float) -> None:
        """Keep the event for the next fit."""
        if not self._user:
            self._hour = ts // HOUR
        self._user.append(user)
        self._item.append(item)
        self._histories.add(user, item)

    def _trained(self, user: int) -> int:
        """Return the user if the model was fitted to events of theirs, else -1."""
        return user if self._fitted.indptr[user + 1] > self._fitted.indptr[user] else -1

    def _fit(self) -> None:
        from scipy.sparse import csr_matrix

        start = time.perf_counter()
        ones = np.ones(len(self._user))
        chosen = csr_matrix((ones, (self._user, self._item)), shape=self._shape)
        self._popular = np.asarray(chosen.sum(0)).ravel()
        chosen.data[:] = 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the number of threads of BLAS
            self._batch.model.fit(chosen, show_progress=False)
        self._fitted = chosen
        self.fits += 1
        self.fit_s += time.perf_counter() - start


def cosine() -> Batch:
    """Return item-item cosine: the sum of the neighbours of a user's last 20 items."""
    from implicit.nearest_neighbours import CosineRecommender

    return Batch(CosineRecommender(K=NEIGHBOURS, num_threads=1), _neighbours)


def bpr(rate: float) -> Batch:
    """Return BPR, continued by some passes at each fit instead of started anew."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=FACTORS,
        learning_rate=rate,
        iterations=PASSES,
        num_threads=1,
        random_state=np.random.default_rng(SEED),  # goes on from fit to fit
    )
    return Batch(model, _factors)


def _neighbours(model: Any, user: int, history: list[int]) -> F64:  # noqa: ARG001 - as `_factors`
    return np.asarray(model.similarity[history].sum(0)).ravel()


def _factors(model: Any, user: int, history: list[int]) -> F64:
    """Score by the user's vector; whom the model does not know is the mean of their items."""
    vector = model.user_factors[user] if user >= 0 else model.item_factors[history].mean(0)
    scores = model.item_factors[:, :-1] @ vector[:-1] + model.item_factors[:, -1]
    return 1.0 / (1.0 + np.exp(-scores.astype(np.float64)))
