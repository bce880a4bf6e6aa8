"""Wishes: what scenarios want of their lists, as the numbers that kernels go by.

Each scenario has a *row*, in which items have factors, and behind them all each of their pins has
one. What a pin holds for is chosen as the items of a scenario are, for the places it names.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from contracts.scenarios import Scenario
from learners.arrays import F32, I32, Flags

WIDE = 3  # where rules leave items out, so many times a list's length are looked for


class Variety(NamedTuple):
    """How much counts, beside an item's own chance, what was taken already."""

    wanted: Flags  # (scenarios,) whether anything does
    diversity: F32  # (scenarios,) how much likeness counts against an item
    by: F32  # (scenarios, attributes) the part of each attribute in likeness
    together: Flags  # (scenarios,) likeness is how often items were chosen together
    calibration: F32  # (scenarios,) how much the distance from the user's own mix counts
    mixed: I32  # (scenarios,) the attribute that it is about, -1 for none


class Places(NamedTuple):
    """Places that are pinned; in each scenario in their order."""

    first: I32  # (scenarios + 1,) where those of each scenario begin
    row: I32  # (pinned,) the row of the pin
    place: I32  # (pinned,) from 0 on


class Wishes(NamedTuple):
    """What is wanted; `attributes` are those that some scenario looks at."""

    length: I32  # (scenarios,) items on a list
    owner: I32  # (rows,) whose row it is: the scenario's own, or one of its pins
    need: I32  # (rows,) items that fit to look for at least
    unseen: Flags  # (rows,) nothing that the user has seen
    cap: I32  # (scenarios, attributes) how many items may have one value, 0 for any number
    capped: Flags  # (scenarios,) whether there is a cap
    variety: Variety
    pinned: Places


def wishes_of(scenarios: Sequence[Scenario], attributes: Sequence[str], length: int) -> Wishes:
    """Return the wishes of scenarios; lists that say no length have this one."""
    caps = [[scenario.caps.get(name, 0) for name in attributes] for scenario in scenarios]
    cap = np.array(caps, np.int32).reshape(len(scenarios), len(attributes))
    variety, capped = _variety(scenarios, attributes), cap.max(axis=1, initial=0) > 0
    lengths = np.array([scenario.length or length for scenario in scenarios], np.int32)
    wide = np.where(capped | variety.wanted, WIDE * lengths, lengths)
    pins = [(n, pin) for n, scenario in enumerate(scenarios) for pin in scenario.pins.values()]
    owner = [*range(len(scenarios)), *(n for n, _ in pins)]
    return Wishes(
        length=lengths,
        owner=np.array(owner, np.int32),
        need=np.array([*wide, *(len(pin.places) for _, pin in pins)], np.int32),
        unseen=np.array([scenarios[n].repeats == "never" for n in owner], np.bool_),
        cap=cap,
        capped=capped,
        variety=variety,
        pinned=_pinned(scenarios),
    )


def _variety(scenarios: Sequence[Scenario], attributes: Sequence[str]) -> Variety:
    named = [[s.diverse_by.count(name) for name in attributes] for s in scenarios]
    times = np.array(named, np.float32).reshape(len(scenarios), len(attributes))
    number = {name: n for n, name in enumerate(attributes)}
    diversity = np.array([s.diversity for s in scenarios], np.float32)
    calibration = np.array([s.calibration for s in scenarios], np.float32)
    return Variety(
        wanted=(diversity > 0) | (calibration > 0),
        diversity=diversity,
        by=times / np.maximum(times.sum(axis=1, keepdims=True), 1),
        together=(diversity > 0) & ~times.any(axis=1),
        calibration=calibration,
        mixed=np.array([number.get(s.calibrated_by, -1) for s in scenarios], np.int32),
    )


def _pinned(scenarios: Sequence[Scenario]) -> Places:
    row, rows, places, first = len(scenarios), list[int](), list[int](), [0]
    for scenario in scenarios:
        own = enumerate(scenario.pins.values(), row)
        named = sorted((place - 1, n) for n, pin in own for place in pin.places)
        places += [place for place, _ in named]
        rows += [n for _, n in named]
        first.append(len(rows))
        row += len(scenario.pins)
    return Places(np.array(first, np.int32), np.array(rows, np.int32), np.array(places, np.int32))
