"""Features: what the head knows of each candidate, all between about 0 and 2.

For every view two numbers: the logarithm of the candidate's share of the view's mass (0 where it
has none), and its mass by the largest one. Then how often, since when and how lately the item
was chosen by anybody, and by this user.
"""

import numpy as np

from learners.arrays import F32, F64, I32, ItemRows, World
from learners.kernel import kernel
from learners.room import Room, standing
from learners.vectors import largest, log2, sum_of

DEPTH = np.float32(20.0)
LEAST = np.float32(2.0**-DEPTH)  # a smaller share counts as none
TINY = np.float32(1e-30)  # a view with less mass has none: its inverse must stay a number
LONGEST = 2.0**40  # minutes, two million years
PER_VIEW = 2
OWN_FEATURES = 9
OFTEN, AGE, REST, SEEN, NEW, BACK, TIMES, SINCE, LAST = range(OWN_FEATURES)


@kernel(inner=True)
def describe(
    world: World, history: I32, when: F64, chosen: int, now: float, room: Room, count: int
) -> None:
    """Fill `room.feature` for the first `count` candidates."""
    scales = room.scales
    for view in range(len(room.mass)):
        mass, share, part = room.mass[view], room.feature[2 * view], room.feature[2 * view + 1]
        total = np.float32(world.trend.total[view]) if view < scales else sum_of(mass, count)
        relate(mass, share, part, total, count)
    first = PER_VIEW * len(room.mass)
    describe_items(world.items, now, room, count, first)
    describe_own(history, when, chosen, now, room, count, first)


@kernel(inner=True, fastmath=True)
def relate(mass: F32, share: F32, part: F32, total: np.float32, count: int) -> None:
    """Write a view's two features."""
    most = largest(mass, count)
    if not (most > TINY and total > TINY):
        share[:count] = 0.0
        part[:count] = 0.0
        return
    by_total, by_most = np.float32(1.0) / total, np.float32(1.0) / most
    for k in range(count):
        part[k] = mass[k] * by_most
        log = (log2(mass[k] * by_total + LEAST) + DEPTH) * np.float32(0.1)
        share[k] = log if mass[k] > 0.0 else np.float32(0.0)


@kernel(inner=True, fastmath=True)
def logs(values: F32, count: int, scale: float) -> None:
    """Replace values of at least 1 by their logarithms to base 2, times a scale."""
    factor = np.float32(scale)
    for k in range(count):
        values[k] = log2(values[k]) * factor


@kernel(inner=True)
def minutes(seconds: float) -> float:
    """Return a time as minutes from 1 on; what lies ahead counts as now."""
    return 1.0 + min(max(seconds, 0.0) * (1 / 60), LONGEST)


@kernel(inner=True)
def describe_items(items: ItemRows, now: float, room: Room, count: int, first: int) -> None:
    """Write what is known of the items themselves, and whether the user has seen them."""
    feature, stamp = room.feature, room.stamp[0]
    often, age, rest = feature[first + OFTEN], feature[first + AGE], feature[first + REST]
    for column in range(count):
        item = room.item[column]
        seen = items.seen[item]
        often[column] = 1.0 + seen
        age[column] = minutes(now - items.first[item]) if seen > 0 else 1.0
        rest[column] = minutes(now - items.latest[item]) if seen > 0 else 1.0
        feature[first + SEEN, column] = room.known[item] == stamp
        feature[first + NEW, column] = seen < 3
    logs(often, count, 0.1)
    logs(age, count, 0.05)
    logs(rest, count, 0.05)


@kernel(inner=True)
def describe_own(
    history: I32, when: F64, chosen: int, now: float, room: Room, count: int, first: int
) -> None:
    """Write when and how often the user chose each of the own last items."""
    feature = room.feature
    for row in range(first + BACK, first + OWN_FEATURES):
        feature[row, :count] = 0.0
    for back in range(chosen - 1, -1, -1):
        column = standing(room, history[back])
        if column < 0:
            continue
        feature[first + BACK, column] = 1.0 / (1 + back)
        feature[first + TIMES, column] += 0.25
        since = np.log2(minutes(now - when[back])) * 0.05
        feature[first + SINCE, column] = np.float32(since)
        feature[first + LAST, column] = back == 0
