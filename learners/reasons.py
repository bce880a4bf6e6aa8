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
    """Why an item stands on a list; all but POPULAR and PINNED name one of the user's own items."""

    POPULAR = 0
    AGAIN = 1
    WITH = 2
    AFTER = 3
    OTHERS = 4
    PINNED = 5  # of a scenario's list: no generator decided
    LIKE = 6


POPULAR, AGAIN, WITH, AFTER, OTHERS, PINNED, LIKE = (int(reason) for reason in Reason)


@kernel(inner=True)
def note_views(rules: Rules, room: Room, count: int) -> None:
    """Fill `room.cause` with the view that decided for each candidate, -1 where it is popular.

    All candidates at once take what the twenty of one list took one by one, and a user may have
    several lists.
    """
    room.cause[:count] = -1
    if rules.head == SOFTMAX:
        room.lift[:count] = -np.inf
        for view in range(len(room.mass)):
            f = PER_VIEW * view
            share, part = room.feature[f], room.feature[f + 1]
            usual = room.weight[f] * sum_of(share, count) + room.weight[f + 1] * sum_of(part, count)
            usual /= np.float32(count)
            note_higher(
                np.int32(view - room.scales), room.weight[f], share, room.weight[f + 1], part,
                usual, room.mass[view], room.lift, room.cause, count,
            )  # fmt: skip
    else:
        decisive = rules.alone - room.scales if rules.head == ALONE else NEAR
        near = room.mass[room.scales + NEAR]
        for k in range(count):
            if rules.head == ALONE or near[k] > 0.0:
                room.cause[k] = decisive


@kernel(inner=True)
def note_higher(
    view: np.int32, weight: np.float32, share: F32, more: np.float32, part: F32,
    usual: np.float32, mass: F32, lift: F32, decisive: I32, count: int,
) -> None:  # fmt: skip
    """Note a view where it has mass and lifts a candidate more than those before.

    It lifts by its part in the score, weights · features, above that of the average candidate.
    """
    for k in range(count):
        above = weight * share[k] + more * part[k] - usual
        higher = (mass[k] > 0.0) & (above > lift[k])
        lift[k] = above if higher else lift[k]
        decisive[k] = view if higher else decisive[k]


@kernel(inner=True)
def said(view: int, item: int, via: int, last: int) -> tuple[int, int]:
    """Return the reason that a view stands for, and the user's item that it goes through."""
    if view == NEXT and last >= 0:  # whatever pairs say of the item, it follows the last one
        return (AGAIN if last == item else AFTER), last
    if view == OWN or (view >= NEAR and via == item):
        return AGAIN, item
    if NEAR <= view <= RULE and via >= 0:
        return WITH, via
    if ALIKE <= view <= SEQUEL and via >= 0:
        return OTHERS, via
    if view == CONTENT and via >= 0:
        return LIKE, via
    return POPULAR, -1
