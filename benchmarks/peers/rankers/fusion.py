"""Reciprocal-rank fusion of several lists, with weights that follow success."""

from collections.abc import Mapping

import numpy as np

from benchmarks.peers.rankers.base import F64, I32

RATE, SHARE = 0.05, 1e-3


class ReciprocalRanks:
    """Score an item by the sum over lists of weight / (3 + place), places from 0.

    After the event a list's weight grows by exp(RATE / (1 + place of the chosen item)), and every
    list keeps SHARE of the whole, so that one that was useless can return.
    Source: Cormack, Clarke, Büttcher, "Reciprocal rank fusion", 2009; weights by Hedge.

    >>> fusion, out = ReciprocalRanks(["a", "b"]), np.zeros(3)
    >>> lists = {"a": np.array([0, 1]), "b": np.array([1, 2])}
    >>> fusion.score(lists, out)
    >>> out.round(3).tolist()  # half of 1/3; half of 1/4 + 1/3; half of 1/4
    [0.167, 0.292, 0.125]
    >>> fusion.learn(lists, 2)
    >>> {name: round(weight, 4) for name, weight in fusion.weight.items()}
    {'a': 0.4938, 'b': 0.5062}
    """

    def __init__(self, names: list[str]) -> None:
        self.weight = dict.fromkeys(names, 1.0 / len(names))

    def score(self, lists: Mapping[str, I32], out: F64) -> None:
        """Add up what each list gives to its items."""
        for name, items in lists.items():
            out[items] += self.weight[name] / (3.0 + np.arange(len(items)))

    def learn(self, lists: Mapping[str, I32], item: int) -> None:
        """Reward each list for the place at which it had the item."""
        for name, items in lists.items():
            for place in np.flatnonzero(items == item):
                self.weight[name] *= float(np.exp(RATE / (1.0 + place)))
        whole = sum(self.weight.values())
        kept = 1.0 - SHARE * len(self.weight)
        self.weight = {name: kept * w / whole + SHARE for name, w in self.weight.items()}
