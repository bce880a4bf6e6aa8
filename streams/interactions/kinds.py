"""Kinds: items that the same rules of scenarios fit are of one kind.

Attributes themselves are not kept: a rule is asked once, when an item is told of, so a list costs
the same whatever its items' attributes are. Like what is hidden, this is no state that is learned.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from contracts.scenarios import Boost, Condition, Scenario, in_utc
from contracts.segments import text_of
from learners.arrays import F32, I32

MOST = 1e6  # what boosts multiply by, all together
Attributes = Mapping[str, object]
Fitting = tuple[bool, ...]  # per scenario whether it fits, and whether each of its boosts does
Values = tuple[str, ...]  # of each capped attribute, "" where there is none


class Kinds:
    """What the rules of scenarios say of items; `of` has the kind of each that is not of kind 0.

    Items of one kind also have the same values of all attributes that are `capped`.

    >>> kinds = Kinds({"kitchen": Scenario(where={"room": Condition(any_of=("kitchen",))})})
    >>> kinds.tell("pan", {"room": ["kitchen", "garden"]})
    >>> kinds.of, kinds.factors(0.0).tolist()
    ({'pan': 1}, [[0.0, 1.0]])
    """

    def __init__(self, scenarios: Mapping[str, Scenario]) -> None:
        self._scenarios = list(scenarios.values())
        self._named = {
            id(boost): frozenset(boost.items)
            for scenario in self._scenarios
            for boost in scenario.boosts.values()
        }
        self.capped = list(dict.fromkeys(name for s in self._scenarios for name in s.caps))
        self._kinds: dict[tuple[Fitting, Values], int] = {self._kind("", {}): 0}
        self.of: dict[str, int] = {}
        self._news: list[str] = []
        for scenario in self._scenarios:
            for boost in scenario.boosts.values():
                for name in boost.items:  # it holds for them without any message, too
                    self.tell(name, {})

    def tell(self, name: str, attributes: Attributes) -> None:
        """Know an item by these attributes, and by nothing that was told before."""
        if not self._scenarios:
            return
        kind = self._kinds.setdefault(self._kind(name, attributes), len(self._kinds))
        if kind == self.of.get(name, 0):
            return
        self._news.append(name)
        if kind:
            self.of[name] = kind
        else:
            del self.of[name]

    def news(self) -> list[str]:
        """Return the items whose kind has changed since the last call."""
        news, self._news = self._news, []
        return news

    def factors(self, now: float) -> F32:
        """Return, (scenarios, kinds), what chances are multiplied by at a time; 0: does not fit."""
        apart = dict.fromkeys(fitting for fitting, _ in self._kinds)
        fittings = {fitting: n for n, fitting in enumerate(apart)}
        found, at = np.zeros((len(self._scenarios), len(fittings)), np.float32), 0
        for n, scenario in enumerate(self._scenarios):
            end = at + 1 + len(scenario.boosts)
            found[n] = [_factor(scenario, fitting[at:end], now) for fitting in fittings]
            at = end
        by_kind: F32 = found[:, [fittings[fitting] for fitting, _ in self._kinds]]
        return by_kind

    def values(self) -> I32:
        """Return, (capped, kinds), numbers that are equal where values are; -1 where none is."""
        found = np.full((len(self.capped), len(self._kinds)), -1, np.int32)
        for n in range(len(self.capped)):
            numbers = {"": -1}
            for _, values in self._kinds:
                numbers.setdefault(values[n], len(numbers))
            found[n] = [numbers[values[n]] for _, values in self._kinds]
        return found

    def _kind(self, name: str, attributes: Attributes) -> tuple[Fitting, Values]:
        fitting = list[bool]()
        for scenario in self._scenarios:
            fitting.append(_all_fit(scenario.where, attributes))
            fitting += [
                name in self._named[id(boost)] or _fits_somewhere(boost, attributes)
                for boost in scenario.boosts.values()
            ]
        return tuple(fitting), tuple(first_of(attributes.get(name)) for name in self.capped)


def _factor(scenario: Scenario, fitting: Fitting, now: float) -> float:
    fits, *boosted = fitting
    factor = float(fits)
    for boost, holds in zip(scenario.boosts.values(), boosted, strict=True):
        if holds and _from(boost.start) <= now < _until(boost.end):
            factor *= boost.factor
    return min(factor, MOST)


def _fits_somewhere(boost: Boost, attributes: Attributes) -> bool:
    return bool(boost.where) and _all_fit(boost.where, attributes)


def _all_fit(where: Mapping[str, Condition], attributes: Attributes) -> bool:
    return all(_fits(condition, attributes.get(name)) for name, condition in where.items())


def _fits(condition: Condition, value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    if condition.any_of or condition.none_of:
        texts = {text for one in values if (text := text_of(one))}
        if not texts.isdisjoint(condition.none_of):
            return False
        if condition.any_of and texts.isdisjoint(condition.any_of):
            return False
    low, high = condition.at_least, condition.at_most
    if low is None and high is None:
        return True
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    return any((low is None or n >= low) and (high is None or n <= high) for n in numbers)


def first_of(value: object) -> str:
    """Return the value that counts for a cap or a group: the first one of several."""
    return text_of(value[0] if isinstance(value, list) and value else value)


def _from(moment: datetime | None) -> float:
    return -np.inf if moment is None else in_utc(moment).timestamp()


def _until(moment: datetime | None) -> float:
    return np.inf if moment is None else in_utc(moment).timestamp()
