"""Pairs: what goes with what (the kernels of `CoOccurrence` and `Transitions`).

After an event every one of the user's last items gets the new item as a neighbour, weighted by
1 / distance, and the new item gets them back with half the weight. An item that is chosen again
is its own neighbour: in shops a quarter of all clicks are. What follows the very last item is
counted apart, and faded at each choice: what has followed lately. That is what finds a change of
taste, while neighbours remember for long. Both are bounded per item; the lightest makes room.

Tried with a change of taste in a simulated shop (`make bench-drift`), events
until lists were as good as before, by those that an empty learner needed, seeds 1 to 3: followers
never faded 1.67, 1.32, 1.84; by 2 % 1.38, 1.03, 1.13; by 5 % 1.06, 1.02, 1.04. On rsc15-100k and
movietweetings-100k HR@10 moved by less than .001; with neighbours faded too it fell.
"""

import math

import numpy as np

from learners.arrays import F32, F64, I32, Flags, ItemRows, Trend
from learners.counts import gain, rebased
from learners.kernel import kernel
from learners.rows import place_of

BACKWARDS = 0.5
FADE = np.float32(0.95)  # of what followed an item, each time that something follows it


@kernel(inner=True)
def pair_weight(items: ItemRows, trend: Trend, ts: float, half_life: float) -> float:
    """Return what a pair at `ts` adds, and move the origin of all pairs where it is due."""
    last = len(trend.origin) - 1
    factor = rebased(trend.origin, last, ts, half_life)
    if factor != 1.0:
        scale_down(items.near_weight, factor)
        scale_down(items.after_weight, factor)
    return gain(trend.origin[last], ts, half_life)


@kernel(inner=True)
def present(trend: Trend, half_life: float) -> float:
    """Return what the weights of pairs must be multiplied by to be those of now."""
    age = trend.origin[len(trend.origin) - 1] - trend.clock[0]
    return 2.0 ** (age / half_life) if age <= 0.0 else 1.0  # before the first pair it is NaN


@kernel(inner=True)
def scale_down(weights: F32, factor: float) -> None:
    """Multiply all weights; a loop, for a whole-array expression takes a second to compile."""
    for row in range(weights.shape[0]):
        for column in range(weights.shape[1]):
            weights[row, column] *= factor


@kernel(inner=True)
def pair(items: ItemRows, history: I32, chosen: int, item: int, weight: float) -> None:
    """Note that `item` was chosen after the first `chosen` items of a history."""
    near, weights, size = items.near, items.near_weight, items.near_size
    for back in range(chosen):
        other = history[back]
        bring_near(near, weights, size, other, item, weight / (back + 1))
        if other != item:
            bring_near(near, weights, size, item, other, weight * BACKWARDS / (back + 1))


@kernel(inner=True)
def follow(items: ItemRows, last: int, item: int, weight: float) -> None:
    """Note that `item` was chosen right after `last`."""
    weights = items.after_weight
    for place in range(items.after_size[last]):
        weights[last, place] *= FADE
    bring_near(items.after, weights, items.after_size, last, item, weight)


@kernel(inner=True)
def bring_near(near: I32, weights: F32, sizes: I32, item: int, other: int, weight: float) -> None:
    """Add weight to a neighbour; the lightest neighbour makes room for a new one."""
    size = sizes[item]
    place = place_of(near[item], size, other)
    if place >= 0:
        weights[item, place] += weight
        return
    place = size
    if size == near.shape[1]:
        place = lightest(weights[item])
    else:
        sizes[item] += 1
    near[item, place] = other
    weights[item, place] = weight


@kernel(inner=True)
def lightest(weights: F32) -> int:
    """Return where the smallest weight stands, the first of equals."""
    found = 0
    for place in range(1, len(weights)):
        if weights[place] < weights[found]:
            found = place
    return found


@kernel(inner=True)
def damped(mass: float, seen: float) -> float:
    """Return mass divided by the fourth root of how often the item was chosen.

    Without that the popular crowd out the fitting; with more the rare do. Tried on rsc15-100k by
    co-occurrence alone, HR@10 with history: no root .573, fourth root .577, square root .570.
    """
    return mass / math.sqrt(math.sqrt(max(seen, 1.0)))


@kernel
def similar(
    items: ItemRows,
    trend: Trend,
    half_life: float,
    hidden: Flags,
    wanted: I32,
    found: I32,
    score: F64,
    size: I32,
) -> None:
    """Fill each row of `found` with the neighbours of an item, best first.

    Never with itself, nor with what is hidden.
    """
    scale = present(trend, half_life)
    for row in range(len(wanted)):
        size[row] = most_similar(items, wanted[row], scale, hidden, found[row], score[row])


@kernel
def going_with(items: ItemRows, wanted: Flags, found: Flags) -> None:
    """Mark the items that have a wanted one among their neighbours."""
    for item in range(len(wanted)):
        for place in range(items.near_size[item]):
            if wanted[items.near[item, place]]:
                found[item] = True
                break


@kernel(inner=True)
def most_similar(
    items: ItemRows, item: int, scale: float, hidden: Flags, out: I32, score: F64
) -> int:
    """Fill `out` with an item's neighbours, best first; return how many."""
    length = 0
    for place in range(items.near_size[item]):
        other = items.near[item, place]
        if hidden[other]:
            continue
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
