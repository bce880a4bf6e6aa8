"""Counts: what was chosen most, lately (the kernels of `Popularity`).

At several half-lives at once: the news of a quarter of an hour and the classics of a year are the
same counts, forgotten at another pace, and the fusion finds out which of them tell something.
Each choice adds 2^((t - origin) / half-life) to its item. Relative to now that is an exponential
decay, yet nothing but the chosen item is touched, and since all items decay alike, an item can
overtake another only when it is chosen itself: keeping the best TRENDING in order costs a few
swaps per event, whatever the size of the catalogue.
"""

import math

from learners.arrays import F64, I32, ItemRows, Trend
from learners.kernel import kernel
from learners.rows import place_of

REBASE = 64.0  # half-lives after which weights are scaled down; 2^64 is far from overflow


@kernel(inner=True)
def choose(
    items: ItemRows, trend: Trend, item: int, ts: float, weight: float, half_lives: F64
) -> None:
    """Count one choice of an item and keep the order of the most popular."""
    for scale in range(len(half_lives)):
        factor = rebased(trend.origin, scale, ts, half_lives[scale])
        if factor != 1.0:
            for row in range(len(items.seen)):
                items.weight[row, scale] *= factor
            trend.total[scale] *= factor
        added = weight * gain(trend.origin[scale], ts, half_lives[scale])
        items.weight[item, scale] += added
        trend.total[scale] += added
        rise(items.weight, scale, trend.top[scale], trend.size, item)
    if items.seen[item] == 0:
        items.first[item] = items.latest[item] = ts
    items.seen[item] += 1
    items.latest[item] = max(items.latest[item], ts)
    trend.clock[0] = max(trend.clock[0], ts)
    trend.clock[1] += 1.0


@kernel(inner=True)
def rebased(origin: F64, which: int, ts: float, half_life: float) -> float:
    """Move an origin before weights overflow; return what they must be multiplied by."""
    if math.isnan(origin[which]):
        origin[which] = ts
    age = (ts - origin[which]) / half_life
    if age <= REBASE:
        return 1.0
    origin[which] = ts
    return 2.0**-age


@kernel(inner=True)
def gain(origin: float, ts: float, half_life: float) -> float:
    """Return what an event at `ts` adds."""
    return 2.0 ** ((ts - origin) / half_life)


@kernel(inner=True)
def rise(weight: F64, scale: int, top: I32, sizes: I32, item: int) -> None:
    """Move an item whose weight grew to its place among the most popular."""
    size = sizes[scale]
    at = place_of(top, size, item)
    if at < 0:
        at = size
        if size < len(top):
            sizes[scale] += 1
        else:
            at = size - 1
            if weight[item, scale] <= weight[top[at], scale]:
                return
        top[at] = item
    while at > 0 and weight[top[at - 1], scale] < weight[item, scale]:
        top[at] = top[at - 1]
        at -= 1
        top[at] = item


@kernel
def rebuild(items: ItemRows, trend: Trend) -> None:
    """Find the most popular anew; needed only after items were let go."""
    trend.top[:] = -1
    trend.size[:] = 0
    for scale in range(len(trend.size)):
        top = trend.top[scale]
        least = -1.0  # a call costs more than most items are worth
        for item in range(len(items.seen)):
            if items.seen[item] > 0 and items.weight[item, scale] > least:
                rise(items.weight, scale, top, trend.size, item)
                if trend.size[scale] == len(top):
                    least = items.weight[top[-1], scale]
