"""Rank: the best items for a user now, co-occurrence first, filled up from popularity."""

from typing import NamedTuple

import numpy as np

from learners.arrays import F64, I32, ItemRows, Scratch, Trend
from learners.kernel import kernel
from learners.pairs import damped, gather


class Rules(NamedTuple):
    """The numbers that a kernel goes by."""

    half_life: float  # seconds, of popularity
    pair_half_life: float  # seconds, of co-occurrence
    repeats: bool  # may a list hold what the user already chose
    pairs: bool  # are there candidates from co-occurrence
    fill: bool  # is the rest filled up from popularity


@kernel
def rank(
    items: ItemRows, trend: Trend, history: I32, chosen: int, rules: Rules, room: Scratch
) -> int:
    """Fill `room.item`, `.score` and `.because`, best first; return how many."""
    length = 0
    if rules.pairs:
        touched = gather(items, history, chosen, room)
        scale = 2.0 ** ((trend.clock[1] - trend.clock[2]) / rules.pair_half_life)
        for k in range(touched):
            item = room.touched[k]
            score = pair_score(room.mass[item] * scale, items.seen[item])
            room.mass[item] = 0.0
            if rules.repeats or not holds(history, chosen, item):
                length = insert(room, length, item, score)
    if rules.fill:
        length = fill(items, trend, history, chosen, rules, room, length)
    return length


@kernel
def pair_score(mass: float, seen: float) -> float:
    """Return the score, above 1, of an item that co-occurrence brought with so much mass."""
    fitting = damped(mass, seen)
    return 1.0 + fitting / (1.0 + fitting)


@kernel
def insert(room: Scratch, length: int, item: int, exact: float) -> int:
    """Put an item at its place; of equals, the one that came first stays before."""
    depth, score = len(room.item), np.float32(exact)  # as it is kept, or rounding parts equals
    if length == depth and score <= room.score[depth - 1]:
        return depth
    at = min(length, depth - 1)
    while at > 0 and room.score[at - 1] < score:
        room.item[at], room.score[at] = room.item[at - 1], room.score[at - 1]
        room.because[at] = room.because[at - 1]
        at -= 1
    room.item[at], room.score[at], room.because[at] = item, score, room.via[item]
    return min(length + 1, depth)


@kernel
def fill(
    items: ItemRows,
    trend: Trend,
    history: I32,
    chosen: int,
    rules: Rules,
    room: Scratch,
    length: int,
) -> int:
    """Append the most popular that are not there yet; return the new length."""
    by_pairs = length
    best = max(items.weight[trend.top[0]], 1e-300)
    for place in range(trend.size[0]):
        if length == len(room.item):
            break
        item = trend.top[place]
        if holds(room.item, by_pairs, item):
            continue
        if rules.repeats or not holds(history, chosen, item):
            room.item[length], room.because[length] = item, -1
            room.score[length] = items.weight[item] / best
            length += 1
    return length


@kernel
def holds(slots: I32, size: int, slot: int) -> bool:
    """Return whether a slot is among the first `size`."""
    for k in range(size):  # noqa: SIM110
        if slots[k] == slot:
            return True
    return False


@kernel
def position(slots: I32, size: int, slot: int) -> int:
    """Return the place of a slot among the first `size`, from 0; -1 for a miss."""
    for k in range(size):
        if slots[k] == slot:
            return k
    return -1


@kernel
def score_one(
    items: ItemRows,
    trend: Trend,
    history: I32,
    chosen: int,
    rules: Rules,
    room: Scratch,
    wanted: I32,
    out: F64,
) -> None:
    """Score the wanted items for a user, whether or not they would be on the list."""
    out[:] = 0.0
    if rules.pairs:
        touched = gather(items, history, chosen, room)
        scale = 2.0 ** ((trend.clock[1] - trend.clock[2]) / rules.pair_half_life)
        for k in range(len(wanted)):
            if wanted[k] >= 0 and room.mass[wanted[k]] > 0.0:
                out[k] = pair_score(room.mass[wanted[k]] * scale, items.seen[wanted[k]])
        for k in range(touched):
            room.mass[room.touched[k]] = 0.0
    if rules.fill and trend.size[0] > 0:
        best = max(items.weight[trend.top[0]], 1e-300)
        for k in range(len(wanted)):
            if wanted[k] >= 0 and out[k] == 0.0:
                out[k] = items.weight[wanted[k]] / best
