"""Reasons: which generator decided that an item stands on a list, and through which item.

Each view's part in a linear score is its weights · features; what decided is the view whose part
lies furthest above that of the average candidate. Heads without weights: what has mass from the
last items goes with them, the rest is popular.
"""

from enum import IntEnum

import numpy as np

from learners.arrays import F32, I32
from learners.features import PER_VIEW
from learners.kernel import kernel
from learners.room import ALIKE, CONTENT, NEAR, NEXT, OWN, RULE, SEQUEL, Room
from learners.rules import ALONE, SOFTMAX, Rules
from learners.vectors import sum_of


class Reason(IntEnum):
    """Why an item stands on a list; the last four name one of the user's own items."""

    POPULAR = 0
    AGAIN = 1
    WITH = 2
    AFTER = 3
    OTHERS = 4
    LIKE = 5


POPULAR, AGAIN, WITH, AFTER, OTHERS, LIKE = (int(reason) for reason in Reason)


@kernel(inner=True)
def note_usual(rules: Rules, room: Room, count: int) -> None:
    """Fill `room.usual`, which reasons are held against."""
    usual = room.usual
    usual[:] = 0.0
    if rules.head == SOFTMAX:
        for view in range(len(usual)):
            for f in range(PER_VIEW * view, PER_VIEW * (view + 1)):
                usual[view] += room.weight[f] * sum_of(room.feature[f], count)
            usual[view] /= np.float32(count)


@kernel(inner=True)
def explain(rules: Rules, last: int, room: Room, length: int, why: I32, via: I32) -> None:
    """Fill `why` and `via` for the items listed; `last` is the user's last item, -1 for none."""
    for place in range(length):
        column = room.listed[place]
        view = NEAR if room.mass[room.scales + NEAR, column] > 0.0 else -1
        if rules.head == ALONE:
            view = rules.alone - room.scales
        elif rules.head == SOFTMAX:
            view = decisive(room, room.usual, column) - room.scales
        why[place], via[place] = said(view, room.item[column], room.via[column], last)


@kernel(inner=True)
def part_of(room: Room, view: int, column: int) -> np.float32:
    """Return a view's part in a candidate's score."""
    f = PER_VIEW * view
    weight, feature = room.weight, room.feature
    return weight[f] * feature[f, column] + weight[f + 1] * feature[f + 1, column]


@kernel(inner=True)
def decisive(room: Room, usual: F32, column: int) -> int:
    """Return the view that lifts a candidate most, among those that have mass for it."""
    found, most = 0, np.float32(-np.inf)
    for view in range(len(usual)):
        lift = part_of(room, view, column) - usual[view]
        if room.mass[view, column] > 0.0 and lift > most:
            found, most = view, lift
    return found


@kernel(inner=True)
def said(view: int, item: int, via: int, last: int) -> tuple[int, int]:
    """Return the reason that a view stands for, and the user's item that it goes through."""
    if view == OWN or (view >= NEAR and via == item):
        return AGAIN, item
    if view == NEXT and last >= 0:
        return AFTER, last
    if NEAR <= view <= RULE and via >= 0:
        return WITH, via
    if ALIKE <= view <= SEQUEL and via >= 0:
        return OTHERS, via
    if view == CONTENT and via >= 0:
        return LIKE, via
    return POPULAR, -1
