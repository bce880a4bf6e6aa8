"""Pairs: what goes with what (the kernels of `CoOccurrence`).

After an event every one of the user's last items gets the new item as a neighbour, weighted by
1 / distance, and the new item gets them back with half the weight. An item that is chosen again
is its own neighbour: in shops a quarter of all clicks are. Neighbours are bounded per item; the
lightest makes room. Candidates are the neighbours of the last REACH items, each weighted by
1 / distance², divided by the fourth root of how often the candidate was chosen at all (without
that the popular crowd out the fitting; with more the rare do). Tried on rsc15-100k, HR@10 with
history: 1 / distance .577, squared .582; no root .573, fourth root .577, square root .570;
backwards 0 .558, ¼ .572, ½ .573, 1 .567.
"""

import math

from learners.arrays import F64, I32, ItemRows, Scratch, Trend
from learners.counts import gain
from learners.kernel import kernel

REACH = 10  # last items that a list is made from
BACKWARDS = 0.5


@kernel
def pair(
    items: ItemRows, trend: Trend, history: I32, chosen: int, item: int, ts: float, half_life: float
) -> float:
    """Note that `item` was chosen after the first `chosen` items of a history."""
    weight = gain(items.near_weight, trend.clock, 1, ts, half_life)
    for back in range(chosen):
        other = history[back]
        bring_near(items, other, item, weight / (back + 1))
        if other != item:
            bring_near(items, item, other, weight * BACKWARDS / (back + 1))
    return weight


@kernel
def bring_near(items: ItemRows, item: int, other: int, weight: float) -> None:
    """Add weight to a neighbour; the lightest neighbour makes room for a new one."""
    near, weights, size = items.near[item], items.near_weight[item], items.near_size[item]
    lightest = 0
    for place in range(size):
        if near[place] == other:
            weights[place] += weight
            return
        if weights[place] < weights[lightest]:
            lightest = place
    if size < len(near):
        lightest = size
        items.near_size[item] += 1
    near[lightest] = other
    weights[lightest] = weight


@kernel
def gather(items: ItemRows, history: I32, chosen: int, room: Scratch) -> int:
    """Sum what the last items bring near into `room.mass`; return how many were touched."""
    touched = 0
    for back in range(min(chosen, REACH)):
        item = history[back]
        nearness = 1.0 / ((back + 1.0) * (back + 1.0))
        for place in range(items.near_size[item]):
            other = items.near[item, place]
            mass = nearness * items.near_weight[item, place]
            if mass == 0.0:  # so old that nothing is left of it
                continue
            if room.mass[other] == 0.0:
                room.touched[touched] = other
                room.share[other] = -1.0
                touched += 1
            room.mass[other] += mass
            if mass > room.share[other]:
                room.share[other] = mass
                room.via[other] = item
    return touched


@kernel
def damped(mass: float, seen: float) -> float:
    """Return mass divided by the fourth root of how often the item was chosen."""
    return mass / math.sqrt(math.sqrt(max(seen, 1.0)))


@kernel
def similar(items: ItemRows, wanted: I32, scale: float, found: I32, score: F64, size: I32) -> None:
    """Fill each row of `found` with the neighbours of an item, best first, never itself."""
    for row in range(len(wanted)):
        size[row] = most_similar(items, wanted[row], scale, found[row], score[row])


@kernel
def most_similar(items: ItemRows, item: int, scale: float, out: I32, score: F64) -> int:
    """Fill `out` with an item's neighbours, best first; return how many."""
    length = 0
    for place in range(items.near_size[item]):
        other = items.near[item, place]
        mass = damped(items.near_weight[item, place] * scale, items.seen[other])
        value = mass / (1.0 + mass)
        if other == item or (length == len(out) and value <= score[length - 1]):
            continue
        at = min(length, len(out) - 1)
        while at > 0 and score[at - 1] < value:
            out[at], score[at] = out[at - 1], score[at - 1]
            at -= 1
        out[at], score[at] = other, value
        length = min(length + 1, len(out))
    return length
