"""Choosing: one list for a scenario, from candidates that are scored.

Pins come first, for what they take stands nowhere else; then the best of what is left, as far as
caps allow.
"""

from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, Flags
from learners.head import best
from learners.kernel import kernel
from learners.room import Room
from learners.rules import Rules, learns
from learners.wishes import Wishes


class Choice(NamedTuple):
    """What is known of items, and room to work in for the candidates of one pass."""

    wishes: Wishes
    kind: I32  # (items,) items of one kind fit the same rules
    factor: F32  # (rows, kinds) what a chance is multiplied by, 0 where it does not fit
    value: I32  # (attributes, kinds) which value of an attribute items have, -1 for none
    popular: I32  # (rows, TRENDING) what fits and is chosen most, -1 for none
    column: I32  # (most,) of which kind a candidate is, -1 for what is hidden
    seen: Flags  # (most,) whether the user has seen it
    order: F32  # (most,) what the candidates are ordered by
    left: F32  # (most,) the same of those that may still be taken, else -inf
    taken: I32  # (depth,) candidates taken, those that are pinned first
    place: I32  # (depth,) where those that are pinned are to stand
    pinned: Flags  # (depth,) whether what stands at a place is pinned


@kernel(inner=True)
def choose(choice: Choice, rules: Rules, scenario: int, room: Room, count: int) -> int:
    """Fill `room.listed` with a list for a scenario; return how long it is."""
    depth = choice.wishes.length[scenario]
    order(choice, rules, scenario, room, count)
    pinned = length = take_pinned(choice, scenario, count)
    if choice.wishes.capped[scenario]:
        length = take_allowed(choice, scenario, count, length)
    elif length < depth:
        length += best(choice.left, count, choice.taken[length:depth])
    lay_out(choice, pinned, length, room.listed)
    return length


@kernel(inner=True)
def factor_of(choice: Choice, row: int, k: int) -> np.float32:
    """Return what the chance of a candidate is multiplied by, 0 for what must not be listed."""
    kind = choice.column[k]
    if kind < 0 or (choice.seen[k] and choice.wishes.unseen[row]):
        return np.float32(0.0)
    return choice.factor[row, kind]


@kernel(inner=True)
def order(choice: Choice, rules: Rules, scenario: int, room: Room, count: int) -> None:
    """Fill `order` and `left` for one scenario, -inf for what must not be listed."""
    given = room.chance if learns(rules) else room.score
    for k in range(count):
        factor = factor_of(choice, scenario, k)
        choice.order[k] = given[k] * factor if factor > 0.0 else np.float32(-np.inf)
        choice.left[k] = choice.order[k]


@kernel(inner=True)
def take_pinned(choice: Choice, scenario: int, count: int) -> int:
    """Take the best that is left for each pinned place; return how many were found."""
    wishes, left, length = choice.wishes, choice.left, 0
    for n in range(wishes.first[scenario], wishes.first[scenario + 1]):
        found, most = -1, np.float32(-np.inf)
        for k in range(count):
            if left[k] > most and factor_of(choice, wishes.row[n], k) > 0.0:
                found, most = k, left[k]
        if found >= 0 and length < wishes.length[scenario]:
            choice.taken[length], choice.place[length] = found, wishes.place[n]
            left[found] = -np.inf
            length += 1
    return length


@kernel(inner=True)
def take_allowed(choice: Choice, scenario: int, count: int, length: int) -> int:
    """Take the best, never more of one value than the caps allow; return how many are taken."""
    left = choice.left
    while length < choice.wishes.length[scenario]:
        found, most = -1, np.float32(-np.inf)
        for k in range(count):
            if left[k] > most:
                found, most = k, left[k]
        if found < 0:
            break
        if allowed(choice, scenario, found, length):
            choice.taken[length] = found
            length += 1
        left[found] = -np.inf
    return length


@kernel(inner=True)
def allowed(choice: Choice, scenario: int, k: int, length: int) -> bool:
    """Return whether the caps allow one more candidate of these values."""
    cap = choice.wishes.cap
    for n in range(cap.shape[1]):
        value, same = choice.value[n, choice.column[k]], 0
        if cap[scenario, n] > 0 and value >= 0:
            for place in range(length):
                same += choice.value[n, choice.column[choice.taken[place]]] == value
            if same >= cap[scenario, n]:
                return False
    return True


@kernel(inner=True)
def lay_out(choice: Choice, pinned: int, length: int, listed: I32) -> None:
    """Put what is pinned at its places, or last where the list is shorter, the others around."""
    first, other = 0, pinned
    for place in range(length):
        choice.pinned[place] = first < pinned and (choice.place[first] <= place or other == length)
        if choice.pinned[place]:
            listed[place] = choice.taken[first]
            first += 1
        else:
            listed[place] = choice.taken[other]
            other += 1
