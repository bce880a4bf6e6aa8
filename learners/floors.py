"""Floors: the part of a list's places that go to items of a group, in every beginning of it.

Of the first n places a floor of share s asks for s·n, rounded down, so nobody gains by counting
more of the list. A list is as it was ranked as long as every floor can still be kept later; where
one can no more, the best candidate of a group that is short comes next.

Source: Geyik, Ambler and Kenthapadi, Fairness-Aware Ranking in Search & Recommendation Systems,
2019; looking ahead instead of only to the next place keeps several floors where all can be kept.
"""

from typing import NamedTuple

import numpy as np

from learners.arrays import F32, F64, I32, Flags
from learners.kernel import kernel

ROUNDED = 1e-9  # 0.3 of ten places are three


class Floors(NamedTuple):
    """What is asked for, and who is in which group."""

    share: F64  # (floors,)
    member: Flags  # (floors, kinds) whether items of a kind are of the floor's group
    kind: I32  # (items,) of which kind each is; 0 beyond its end
    reserve: I32  # (floors, …) what is popular in each group, best first, -1 for none
    placed: I32  # (floors,) room to work in: how many of each group stand on the list so far


def floors(share: F64, member: Flags, kind: I32, reserve: I32 | None = None) -> Floors:
    """Return floors that a pass can work with; without a `reserve` only candidates keep them."""
    if reserve is None:
        reserve = np.full((len(share), 1), -1, np.int32)
    return Floors(share, member, kind, reserve, np.zeros(len(share), np.int32))


def no_floors() -> Floors:
    """Return floors that ask for nothing."""
    return floors(np.zeros(0), np.zeros((0, 1), np.bool_), np.zeros(0, np.int32))


@kernel
def keep_floors(
    asked: Floors, item: I32, score: F32, hidden: Flags, listed: I32, count: int, length: int
) -> None:
    """Have floors kept on the first `length` places of `listed`, columns of `count` candidates."""
    asked.placed[:] = 0
    for place in range(length):
        due = soonest_due(asked, place, length)
        if due > 0 and not of_short(asked, item[listed[place]], due):
            best = best_short(asked, item, score, hidden, listed[:place], count, due)
            if best >= 0:
                lift(listed, place, length, best)
        for floor in range(len(asked.share)):
            asked.placed[floor] += is_member(asked, floor, item[listed[place]])


@kernel(inner=True)
def best_short(
    asked: Floors, item: I32, score: F32, hidden: Flags, listed: I32, count: int, due: int
) -> int:
    """Return the best candidate that may come next and is of a group that is short; -1 for none."""
    best, most = -1, np.float32(-np.inf)
    for k in range(count):
        if score[k] <= most or hidden[item[k]] or not of_short(asked, item[k], due):
            continue
        if not among(listed, k):
            best, most = k, score[k]
    return best


@kernel(inner=True)
def soonest_due(asked: Floors, place: int, length: int) -> int:
    """Return of how many first places floors could not be kept if one more were free; 0 if all."""
    for first in range(place + 1, length + 1):
        owed = 0
        for floor in range(len(asked.share)):
            owed += max(wanted(asked, floor, first) - asked.placed[floor], 0)
        if owed >= first - place:
            return first
    return 0


@kernel(inner=True)
def wanted(asked: Floors, floor: int, first: int) -> int:
    """Return how many of so many first places a floor asks for."""
    return int(asked.share[floor] * first + ROUNDED)


@kernel(inner=True)
def of_short(asked: Floors, item: int, first: int) -> bool:
    """Return whether an item is of a group that is short of its places among the first."""
    for floor in range(len(asked.share)):
        short = asked.placed[floor] < wanted(asked, floor, first)
        if short and is_member(asked, floor, item):
            return True
    return False


@kernel(inner=True)
def is_member(asked: Floors, floor: int, item: int) -> bool:
    """Return whether an item is of a floor's group."""
    kind = asked.kind[item] if item < len(asked.kind) else 0
    return asked.member[floor, kind]


@kernel(inner=True)
def among(listed: I32, column: int) -> bool:
    """Return whether a candidate stands on a list."""
    found = False
    for other in listed:
        found |= other == column
    return found


@kernel(inner=True)
def lift(listed: I32, place: int, length: int, column: int) -> None:
    """Put a candidate in a place; those behind it go down by one, the last one off the list."""
    end = place
    while end < length - 1 and listed[end] != column:
        end += 1
    for at in range(end, place, -1):
        listed[at] = listed[at - 1]
    listed[place] = column
