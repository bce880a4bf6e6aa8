"""Kinds: items that the same rules of scenarios fit are of one kind.

Attributes themselves are not kept: a rule is asked once, when an item is told of, so a list costs
the same whatever its items' attributes are. Like what is hidden, this is no state that is learned.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np

from contracts.scenarios import Condition, Scenario, Some
from contracts.segments import text_of
from learners.arrays import F32, F64, I32, Flags
from streams.interactions.kind_of import KindOf
from streams.interactions.numbered import Numbers

MOST = 1e6  # what boosts multiply by, all together
Attributes = Mapping[str, object]
Fitting = tuple[bool, ...]  # per scenario whether it fits, then each of its boosts and pins
Values = tuple[str, ...]  # of each attribute that is looked at, "" where there is none


class Kinds(KindOf):
    """What the rules of scenarios say of items; `of` has the kind of each that is not of kind 0.

    Items of one kind also have the same values of all `attributes` that a scenario looks at.

    >>> kinds = Kinds({"kitchen": Scenario(where={"room": Condition(any_of=("kitchen",))})})
    >>> kinds.tell("pan", {"room": ["kitchen", "garden"]})
    >>> kinds.of, kinds.factors(0.0).tolist()
    ({'pan': 1}, [[0.0, 1.0]])
    """

    def __init__(self, scenarios: Mapping[str, Scenario]) -> None:
        super().__init__()
        self._scenarios = list(scenarios.values())
        self._named = {
            id(some): frozenset(some.items)
            for some in chain.from_iterable(map(_parts, self._scenarios))
        }
        self.attributes = list(
            dict.fromkeys(name for s in self._scenarios for name in _looked_at(s))
        )
        self._kinds: dict[tuple[Fitting, Values], int] = {}
        self._fittings = Numbers[Fitting]()  # of all kinds, in which many are equal
        self._values = [Numbers[str]() for _ in self.attributes]
        self._number(self._kind("", {}))
        for name in chain.from_iterable(self._named.values()):
            self.tell(name, {})  # a boost or a pin holds for it without any message, too

    def tell(self, name: str, attributes: Attributes) -> None:
        """Know an item by these attributes, and by nothing that was told before."""
        if not self._scenarios:
            return
        self.put(name, self._number(self._kind(name, attributes)))

    def factors(self, now: float) -> F32:
        """Return, (rows, kinds), what chances are multiplied by at a time; 0: does not fit.

        Rows are all scenarios, then all their pins, in which fits what fits the scenario, too.
        """
        apart = list(self._fittings.known)
        flags = np.array(apart, np.bool_).reshape(len(apart), -1).T
        scenarios, pins, at = list[F64](), list[F64](), 0
        for scenario in self._scenarios:
            end = at + 1 + len(scenario.boosts) + len(scenario.pins)
            own, pinned = _factors(scenario, flags[at:end], now)
            scenarios.append(own)
            pins += pinned
            at = end
        rows = np.array([*scenarios, *pins], np.float32).reshape(-1, len(apart))
        by_kind: F32 = rows[:, self._fittings.as_array()]
        return by_kind

    def values(self) -> I32:
        """Return, (attributes, kinds), numbers that are equal where values are; -1 for none."""
        found = [values.as_array() for values in self._values]
        return np.array(found, np.int32).reshape(len(found), len(self._kinds))

    def _number(self, kind: tuple[Fitting, Values]) -> int:
        """Return the number of a kind, the next one of a new kind."""
        number = self._kinds.setdefault(kind, len(self._kinds))
        if number == len(self._fittings.of):
            fitting, values = kind
            self._fittings.add(fitting)
            for numbers, value in zip(self._values, values, strict=True):
                numbers.add(value or None)
        return number

    def _kind(self, name: str, attributes: Attributes) -> tuple[Fitting, Values]:
        fitting = list[bool]()
        for scenario in self._scenarios:
            fitting.append(_all_fit(scenario.where, attributes))
            fitting += [
                name in self._named[id(some)] or _fits_somewhere(some, attributes)
                for some in _parts(scenario)
            ]
        return tuple(fitting), tuple(first_of(attributes.get(name)) for name in self.attributes)


def _looked_at(scenario: Scenario) -> Iterator[str]:
    """Yield the attributes whose values a scenario counts."""
    yield from (*scenario.caps, *scenario.diverse_by)
    if scenario.calibrated_by:
        yield scenario.calibrated_by


def _parts(scenario: Scenario) -> Iterator[Some]:
    """Yield a scenario's boosts, then its pins."""
    yield from scenario.boosts.values()
    yield from scenario.pins.values()


def _factors(scenario: Scenario, flags: Flags, now: float) -> tuple[F64, list[F64]]:
    """Return the factors of a scenario and of each of its pins; `flags` has a row for each rule."""
    fits, *held = flags
    factor, boosts = fits.astype(np.float64), len(scenario.boosts)
    for boost, holds in zip(scenario.boosts.values(), held[:boosts], strict=True):
        if boost.holds_at(now):
            factor[holds] *= boost.factor
    factor = np.minimum(factor, MOST)
    pins = zip(scenario.pins.values(), held[boosts:], strict=True)
    return factor, [factor * (holds & pin.holds_at(now)) for pin, holds in pins]


def _fits_somewhere(some: Some, attributes: Attributes) -> bool:
    return bool(some.where) and _all_fit(some.where, attributes)


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
