"""Counts: what was chosen most, lately (the kernels of `Popularity`).

Each choice adds 2^((t - origin) / half-life) to its item. Relative to now that is an exponential
decay, yet nothing but the chosen item is touched, and since all items decay alike, an item can
overtake another only when it is chosen itself: keeping the best TRENDING in order costs a few
swaps per event, whatever the size of the catalogue.
"""

import math

from learners.arrays import F64, ItemRows, Trend
from learners.kernel import kernel

REBASE = 64.0  # half-lives after which weights are scaled down; 2^64 is far from overflow


@kernel
def choose(items: ItemRows, trend: Trend, item: int, ts: float, half_life: float) -> None:
    """Count one choice of an item and keep the order of the most popular."""
    added = gain(items.weight, trend.clock, 0, ts, half_life)  # may scale all weights: first
    items.weight[item] += added
    items.seen[item] += 1
    rise(items, trend, item)


@kernel
def gain(weights: F64, clock: F64, origin: int, ts: float, half_life: float) -> float:
    """Return what an event at `ts` adds, and move the origin before that overflows."""
    if math.isnan(clock[origin]):
        clock[origin] = ts
    age = (ts - clock[origin]) / half_life
    if age > REBASE:
        weights *= 2.0**-age
        clock[origin] = ts
        age = 0.0
    return 2.0**age


@kernel
def rise(items: ItemRows, trend: Trend, item: int) -> None:
    """Move an item whose weight grew to its place among the most popular."""
    top, size = trend.top, trend.size[0]
    at = size
    for place in range(size):
        if top[place] == item:
            at = place
            break
    if at == size:
        if size < len(top):
            trend.size[0] += 1
        else:
            at = size - 1
            if items.weight[item] <= items.weight[top[at]]:
                return
        top[at] = item
    while at > 0 and items.weight[top[at - 1]] < items.weight[item]:
        top[at] = top[at - 1]
        at -= 1
        top[at] = item


@kernel
def rebuild(items: ItemRows, trend: Trend) -> None:
    """Find the most popular anew; needed only after items were let go."""
    trend.size[0] = 0
    trend.top[:] = -1
    least = -1.0  # a call costs more than most items are worth
    for item in range(len(items.seen)):
        if items.seen[item] > 0 and items.weight[item] > least:
            rise(items, trend, item)
            if trend.size[0] == len(trend.top):
                least = items.weight[trend.top[-1]]
