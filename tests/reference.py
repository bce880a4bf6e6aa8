"""The recommender again, slow and plain: lists and dicts, no slots, no origins, no kernels.

Every weight is kept as the list of what it is the sum of, `(ts, factor)`, and decayed when asked.
"""

from collections import OrderedDict
from typing import NamedTuple

from learners.arrays import TRENDING
from learners.candidates import REACH
from learners.pairs import BACKWARDS
from learners.recommender import SWEEP_SHARE, Shape

Parts = list[tuple[float, float]]


class Plain(NamedTuple):
    """What a blend goes by."""

    half_life: float
    pair_half_life: float
    neighbours: int
    repeats: bool
    pairs: bool


class Scored(NamedTuple):
    """What speaks for an item: a score, and what each of the user's own items contributes."""

    score: float
    because: dict[str, float]


class Reference:
    """One partition's users and the items, as the recommender should treat them."""

    def __init__(self, shape: Shape, rules: Plain) -> None:
        self.shape, self.rules = shape, rules
        self.chosen: OrderedDict[str, Parts] = OrderedDict()  # least recently chosen first
        self.order: list[str] = []  # most popular first
        self.near: dict[str, list[tuple[str, Parts]]] = {}
        self.history: OrderedDict[str, list[str]] = OrderedDict()
        self.latest = float("-inf")
        self.evicted = 0

    def learn(self, user: str, item: str, ts: float) -> None:
        """Learn one event."""
        if item not in self.chosen and len(self.chosen) >= self.shape.items:
            self._sweep()
        if user not in self.history and len(self.history) >= self.shape.users:
            self.history.popitem(last=False)
        self.latest = max(self.latest, ts)
        self.chosen.setdefault(item, []).append((ts, 1.0))
        self.chosen.move_to_end(item)
        self._rise(item)
        history = self.history.setdefault(user, [])
        self.history.move_to_end(user)
        for back, other in enumerate(history, 1):
            self._bring_near(other, item, (ts, 1.0 / back))
            if other != item:
                self._bring_near(item, other, (ts, BACKWARDS / back))
        self.history[user] = [item, *history][: self.shape.history]

    def scores(self, user: str) -> dict[str, Scored]:
        """Return every candidate for a user."""
        history = self.history.get(user, [])
        result = self._by_pairs(history) if self.rules.pairs else {}
        if self.order:
            best = self._popularity(self.order[0])
            for item in self.order[:TRENDING]:
                result.setdefault(item, Scored(self._popularity(item) / best, {}))
        if not self.rules.repeats:
            result = {item: s for item, s in result.items() if item not in history}
        return result

    def _by_pairs(self, history: list[str]) -> dict[str, Scored]:
        shares: dict[str, list[tuple[str, float]]] = {}
        for back, own in enumerate(history[:REACH], 1):
            for other, parts in self.near.get(own, []):
                mass = self._decayed(parts, self.rules.pair_half_life) / back**2
                if mass > 0.0:
                    shares.setdefault(other, []).append((own, mass))
        result = {}
        for item, by_own in shares.items():
            mass = sum(m for _, m in by_own) / len(self.chosen[item]) ** 0.25
            single: dict[str, float] = {}
            for own, m in by_own:
                single[own] = max(m, single.get(own, 0.0))
            result[item] = Scored(1.0 + mass / (1.0 + mass), single)
        return result

    def _rise(self, item: str) -> None:
        """Move an item before all that are less popular, behind its equals."""
        if item in self.order:
            at = self.order.index(item)
            self.order.pop(at)
        else:
            at = len(self.order)
        while at > 0 and self._popularity(self.order[at - 1]) < self._popularity(item):
            at -= 1
        self.order.insert(at, item)

    def _bring_near(self, item: str, other: str, part: tuple[float, float]) -> None:
        near = self.near.setdefault(item, [])
        for name, parts in near:
            if name == other:
                parts.append(part)
                return
        if len(near) < self.rules.neighbours:
            near.append((other, [part]))
            return
        weights = [self._decayed(parts, self.rules.pair_half_life) for _, parts in near]
        near[weights.index(min(weights))] = (other, [part])

    def _popularity(self, item: str) -> float:
        return self._decayed(self.chosen[item], self.rules.half_life)

    def _decayed(self, parts: Parts, half_life: float) -> float:
        total = 0.0
        for ts, factor in parts:
            total += 2.0 ** ((ts - self.latest) / half_life) * factor
        return total

    def _sweep(self) -> None:
        for _ in range(max(1, self.shape.items // SWEEP_SHARE)):
            gone, _parts = self.chosen.popitem(last=False)
            self.evicted += 1
            self.near.pop(gone, None)
            self.order.remove(gone)
            for near in self.near.values():
                near[:] = [pair for pair in near if pair[0] != gone]
            for history in self.history.values():
                history[:] = [item for item in history if item != gone]
