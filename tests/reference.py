"""The recommender again, slow and plain: lists and dicts, no slots, no origins, no kernels.

Every weight is kept as the list of what it is the sum of, `(ts, factor)`, and decayed when asked.
"""

import math
from collections import OrderedDict
from typing import NamedTuple

from learners.arrays import SESSION
from learners.candidates import REACH, TOPS
from learners.features import TINY
from learners.pairs import BACKWARDS, FADE
from learners.passes import RARE
from learners.recommender import SWEEP_SHARE
from learners.seen import PAGE
from learners.sessions import BACK, BEFORE, FEWEST
from learners.users import Shape

Parts = list[tuple[float, float]]
JUDGED = 20


class Scored(NamedTuple):
    """What speaks for an item: a score, and what each of the user's own items contributes."""

    score: float
    because: dict[str, float]


class Model(NamedTuple):
    """What ranks, and the widths of what it remembers."""

    by: str  # "blend", "popular", "near", "next" or "sequel"
    half_life: float
    pair_half_life: float
    width: int = 64  # neighbours, followers or visits per item
    repeats: str = "always"


class Seen:
    """All that a user has chosen or refused, on pages; the oldest page goes."""

    def __init__(self, bound: int) -> None:
        self.most = max(1, bound // PAGE)
        self.pages: list[list[tuple[str, bool] | None]] = []  # newest first

    def note(self, item: str, barred: bool) -> None:
        """Write an item down; barred stays barred."""
        for page in self.pages:
            for place, entry in enumerate(page):
                if entry is not None and entry[0] == item:
                    page[place] = (item, entry[1] or barred)
                    return
        if not self.pages or len(self.pages[0]) == PAGE:
            self.pages = [[], *self.pages][: self.most]
        self.pages[0].append((item, barred))

    def entries(self) -> dict[str, bool]:
        """Return the items, and whether each is barred."""
        return dict(entry for page in self.pages for entry in page if entry is not None)

    def forget(self, item: str) -> None:
        """Blank out an item that was let go."""
        for page in self.pages:
            page[:] = [None if entry and entry[0] == item else entry for entry in page]


class Reference:
    """One partition's users and the items, as the recommender should treat them."""

    def __init__(self, shape: Shape, model: Model) -> None:
        self.shape, self.model = shape, model
        self.chosen: OrderedDict[str, Parts] = OrderedDict()  # least recently chosen first
        self.order: list[str] = []  # most popular first
        self.near: dict[str, list[tuple[str, Parts]]] = {}
        self.after: dict[str, list[tuple[str, Parts]]] = {}
        self.visits: dict[str, list[str]] = {}
        self.sessions: dict[str, list[str]] = {}  # newest item first
        self.history: OrderedDict[str, list[str]] = OrderedDict()
        self.seen: dict[str, Seen] = {}
        self.latest = float("-inf")
        self.events = self.evicted = self.known = self.again = 0

    def learn(self, user: str, item: str, ts: float) -> None:
        """Learn one event."""
        if item not in self.chosen and len(self.chosen) >= self.shape.items:
            self._sweep()
        if user not in self.history and len(self.history) >= self.shape.users:
            self.history.popitem(last=False)
        if user not in self.history:
            self.seen[user] = Seen(self.shape.seen)
        history, seen = self.history.setdefault(user, []), self.seen[user]
        self.history.move_to_end(user)
        if history:
            self.known += 1
            self.again += item in seen.entries()
        self.latest, self.events = max(self.latest, ts), self.events + 1
        self.chosen.setdefault(item, []).append((ts, 1.0))
        self.chosen.move_to_end(item)
        self._rise(item)
        for back, other in enumerate(history, 1):
            self._bring(self.near, other, item, (ts, 1.0 / back))
            if other != item:
                self._bring(self.near, item, other, (ts, BACKWARDS / back))
        if history:
            for _, parts in self.after.get(history[0], []):
                parts[:] = [(at, float(FADE) * factor) for at, factor in parts]
            self._bring(self.after, history[0], item, (ts, 1.0))
        self._attend(user, item)
        self.history[user] = [item, *history][: self.shape.history]
        seen.note(item, self.model.repeats == "never")

    def scores(self, user: str) -> dict[str, Scored]:
        """Return every candidate for a user that would be listed."""
        history, by = self.history.get(user, []), self.model.by
        barred = self._barred(user)
        if by in ("blend", "popular"):
            result = self._by_pairs(history) if by == "blend" else {}
            for item in self.order[: max(TOPS, self.shape.length, JUDGED)]:
                result.setdefault(item, Scored(self._share(item), {}))
            return {item: scored for item, scored in result.items() if item not in barred}
        shares = {"near": self._near, "next": self._next, "sequel": self._sequel}[by](user, history)
        mass = {item: m for item, (m, _) in shares.items() if item not in barred and m > 0.0}
        most = max(mass.values(), default=0.0)
        return {item: Scored(m / most, shares[item][1]) for item, m in mass.items()}

    def _barred(self, user: str) -> set[str]:
        seen = self.seen[user].entries() if user in self.history else {}
        returns = self.model.repeats != "learn" or self.again >= RARE * self.known
        return {item for item, barred in seen.items() if barred or not returns}

    def _by_pairs(self, history: list[str]) -> dict[str, Scored]:
        result = {}
        for item, (mass, because) in self._near("", history).items():
            if mass > TINY:
                result[item] = Scored(1.0 + mass / (1.0 + mass), because)
            else:
                result[item] = Scored(self._share(item), {})
        return result

    def _share(self, item: str) -> float:
        best = self._popularity(self.order[0])
        return self._popularity(item) / best

    def _near(self, _: str, history: list[str]) -> dict[str, tuple[float, dict[str, float]]]:
        parts: dict[str, list[tuple[str, float]]] = {}
        for back, own in enumerate(history[:REACH], 1):
            for other, sums in self.near.get(own, []):
                mass = self._decayed(sums, self.model.pair_half_life) / back**2
                parts.setdefault(other, []).append((own, mass))
        return {
            item: (sum(m for _, m in by_own) / len(self.chosen[item]) ** 0.25, _largest(by_own))
            for item, by_own in parts.items()
        }

    def _next(self, _: str, history: list[str]) -> dict[str, tuple[float, dict[str, float]]]:
        after = self.after.get(history[0], []) if history else []
        return {
            item: (self._decayed(parts, self.model.pair_half_life), {history[0]: 1.0})
            for item, parts in after
        }

    def _sequel(self, user: str, history: list[str]) -> dict[str, tuple[float, dict[str, float]]]:
        like: dict[str, float] = {}
        matched: dict[str, str] = {}
        for back, item in enumerate(history[:BACK]):
            newest = self.visits.get(item, [])[::-1][: self.model.width]
            for other in newest[: max(self.model.width >> back, FEWEST)]:
                if other != user:
                    matched.setdefault(other, item)
                    like[other] = like.get(other, 0.0) + self._rarity(item) / (back + 1)
        mass: dict[str, float] = {}
        through: dict[str, list[tuple[str, float]]] = {}
        for other, much in like.items():
            row = self.sessions[other]
            if matched[other] not in row:
                continue
            at = row.index(matched[other])
            for place, item in enumerate(row):
                worth = 1 / (1 + at - place) if place <= at else BEFORE / (1 + place - at)
                mass[item] = mass.get(item, 0.0) + much * worth
                through.setdefault(item, []).append((matched[other], much))
        return {item: (m * self._rarity(item), _largest(through[item])) for item, m in mass.items()}

    def _rarity(self, item: str) -> float:
        return math.log((1 + self.events) / max(len(self.chosen[item]), 1)) + 1e-6

    def _attend(self, user: str, item: str) -> None:
        row = self.sessions.setdefault(user, [])
        if item not in row:
            self.visits.setdefault(item, []).append(user)
        self.sessions[user] = [item, *row][:SESSION]

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

    def _bring(
        self,
        rows: dict[str, list[tuple[str, Parts]]],
        item: str,
        other: str,
        part: tuple[float, float],
    ) -> None:
        row = rows.setdefault(item, [])
        for name, parts in row:
            if name == other:
                parts.append(part)
                return
        if len(row) < self.model.width:
            row.append((other, [part]))
            return
        weights = [self._decayed(parts, self.model.pair_half_life) for _, parts in row]
        row[weights.index(min(weights))] = (other, [part])

    def _popularity(self, item: str) -> float:
        return self._decayed(self.chosen[item], self.model.half_life)

    def _decayed(self, parts: Parts, half_life: float) -> float:
        total = 0.0
        for ts, factor in parts:
            total += 2.0 ** ((ts - self.latest) / half_life) * factor
        return total

    def _sweep(self) -> None:
        for _ in range(max(1, self.shape.items // SWEEP_SHARE)):
            gone, _parts = self.chosen.popitem(last=False)
            self.evicted += 1
            self.visits.pop(gone, None)
            self.order.remove(gone)
            for rows in (self.near, self.after):
                rows.pop(gone, None)
                for row in rows.values():
                    row[:] = [pair for pair in row if pair[0] != gone]
            for names in (*self.history.values(), *self.sessions.values()):
                names[:] = [item for item in names if item != gone]
            for seen in self.seen.values():
                seen.forget(gone)


def _largest(parts: list[tuple[str, float]]) -> dict[str, float]:
    most: dict[str, float] = {}
    for own, part in parts:
        most[own] = max(part, most.get(own, 0.0))
    return most
