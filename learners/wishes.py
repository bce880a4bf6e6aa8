"""Wishes: what scenarios want of their lists, as the numbers that kernels go by.

Each scenario has a *row*, in which items have factors, and behind them all each of their pins has
one. What a pin holds for is chosen as the items of a scenario are, for the places it names.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from contracts.scenarios import Scenario
from learners.arrays import F32, I32, Flags

WIDE = 3  # where rules leave items out, so many times a list's length are looked for


class Wishes(NamedTuple):
    """What is wanted; `attributes` are those that some scenario looks at."""

    length: I32  # (scenarios,) items on a list
    owner: I32  # (rows,) whose row it is: the scenario's own, or one of its pins
    need: I32  # (rows,) items that fit to look for at least
    unseen: Flags  # (rows,) nothing that the user has seen
    cap: I32  # (scenarios, attributes) how many items may have one value, 0 for any number
    capped: Flags  # (scenarios,) whether there is a cap
    varied: Flags  # (scenarios,) whether what is taken already weighs in
    diversity: F32  # (scenarios,) how much likeness counts against an item
    diverse_by: F32  # (scenarios, attributes) the part of each attribute in likeness
    together: Flags  # (scenarios,) likeness is how often items were chosen together
    calibration: F32  # (scenarios,) how much the distance from the user's own mix counts
    calibrated_by: I32  # (scenarios,) the attribute that it is about, -1 for none
    first: I32  # (scenarios + 1,) where the pinned places of each scenario begin
    row: I32  # (pinned places,) the row of the pin; in each scenario in the order of places
    place: I32  # (pinned places,) from 0 on


def wishes_of(scenarios: Sequence[Scenario], attributes: Sequence[str], length: int) -> Wishes:
    """Return the wishes of scenarios; lists that say no length have this one."""
    lengths = [scenario.length or length for scenario in scenarios]
    shape = (len(scenarios), len(attributes))
    caps = [[scenario.caps.get(name, 0) for name in attributes] for scenario in scenarios]
    diverse = [[s.diverse_by.count(name) for name in attributes] for s in scenarios]
    diverse_by = np.array(diverse, np.float32).reshape(shape)
    numbers = {name: n for n, name in enumerate(attributes)}
    varied = np.array([s.diversity + s.calibration > 0 for s in scenarios], np.bool_)
    pins = [(n, pin) for n, scenario in enumerate(scenarios) for pin in scenario.pins.values()]
    owner = [*range(len(scenarios)), *(n for n, _ in pins)]
    wide = [
        n * (WIDE if s.caps or s.diversity or s.calibration else 1)
        for n, s in zip(lengths, scenarios, strict=True)
    ]
    places = sorted(_places(scenarios), key=lambda at: (owner[at[0]], at[1]))
    first = np.searchsorted([owner[row] for row, _ in places], range(len(scenarios) + 1))
    return Wishes(
        length=np.array(lengths, np.int32),
        owner=np.array(owner, np.int32),
        need=np.array([*wide, *(len(pin.places) for _, pin in pins)], np.int32),
        unseen=np.array([scenarios[n].repeats == "never" for n in owner], np.bool_),
        cap=np.array(caps, np.int32).reshape(shape),
        capped=np.array([bool(scenario.caps) for scenario in scenarios], np.bool_),
        varied=varied,
        diversity=np.array([s.diversity for s in scenarios], np.float32),
        diverse_by=diverse_by / np.maximum(diverse_by.sum(axis=1, keepdims=True), 1),
        together=np.array([s.diversity > 0 and not s.diverse_by for s in scenarios], np.bool_),
        calibration=np.array([s.calibration for s in scenarios], np.float32),
        calibrated_by=np.array([numbers.get(s.calibrated_by, -1) for s in scenarios], np.int32),
        first=first.astype(np.int32),
        row=np.array([row for row, _ in places], np.int32),
        place=np.array([place for _, place in places], np.int32),
    )


def _places(scenarios: Sequence[Scenario]) -> Iterator[tuple[int, int]]:
    """Yield the row of each pin with each of its places, from 0 on."""
    row = len(scenarios)
    for scenario in scenarios:
        for pin in scenario.pins.values():
            yield from ((row, place - 1) for place in pin.places)
            row += 1
