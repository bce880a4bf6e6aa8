"""Heads: how the candidates of all generators become one order (the kernels of `Fusion`).

SOFTMAX scores a candidate by weights · features and takes, after every event, one step of softmax
cross-entropy over all candidates, none left out: with improbable ones skipped quality collapses.
The weights are the sum of a row for everybody and one row for each segment that the user is in.
Steps are AdaGrad's, with past gradients slowly forgotten, so that a generator that was useless
for long can come back. Gradients are bounded because features are.

MIXTURE takes each view as a distribution over the candidates it has mass for, apart for those
that the user has seen and has not, and learns their shares by one step of EM per event.

BLEND learns nothing: what goes with the last items first, filled up from what is popular. ALONE
ranks by the mass of one view; what has none there is not listed.

Source: Duchi, Hazan and Singer, Adaptive Subgradient Methods, 2011; Cappé and Moulines, Online
Expectation-Maximization, 2009.
"""

import math

import numpy as np

from learners.arrays import F32, I32, JUDGED, Head, World
from learners.features import PER_VIEW, SEEN, TINY
from learners.kernel import kernel
from learners.pairs import present
from learners.room import NEAR, Room, standing
from learners.rows import MISS
from learners.rules import ALONE, BLEND, MIXTURE, SOFTMAX, Rules, Segments
from learners.vectors import largest

FORGET = np.float32(1.0 - 1e-5)  # past gradients count half after 70,000 events
FIRST_SQUARE = 0.01
LEAST_SQUARE = np.float32(1e-8)  # else a feature at rest for 10 million events divides by 0
EM_STEP = np.float32(0.002)
LEAST_SHARE = np.float32(1e-5)  # of a mixture: from nothing no view could come back


def head(rules: Rules, features: int, views: int) -> Head:
    """Return a head that has learned nothing."""
    shape = (3 + len(rules.lengths) + len(rules.gaps), features)
    first = 1.0 / (PER_VIEW * views) if rules.head == MIXTURE else 0.0
    return Head(np.full(shape, first, np.float32), np.full(shape, FIRST_SQUARE, np.float32))


@kernel(inner=True)
def score(world: World, rules: Rules, at: Segments, room: Room, count: int) -> None:
    """Fill `room.score` for the first `count` candidates, which are described."""
    if rules.head == BLEND:
        blend(world, rules, room, count)
        return
    if rules.head == ALONE:
        by_mass(room.mass[rules.alone], room.score, count)
        return
    weight = world.head.weight
    for f in range(weight.shape[1]):
        room.weight[f] = weight[at.everybody, f] + weight[at.length, f] + weight[at.gap, f]
    if rules.head == SOFTMAX:
        combine(room.weight, room.feature, room.score, count)
    else:
        mix(room, count)


@kernel(inner=True, fastmath=True)
def combine(weight: F32, feature: F32, score: F32, count: int) -> None:
    """Set the scores to weights · features."""
    score[:count] = 0.0
    for f in range(len(weight)):
        w, x = weight[f], feature[f]
        if w != 0.0:
            for k in range(count):
                score[k] += w * x[k]


@kernel(inner=True)
def mix(room: Room, count: int) -> None:
    """Set the scores to the logarithms of the mixture's probabilities."""
    room.score[:count] = 0.0
    seen = room.feature[PER_VIEW * len(room.mass) + SEEN]
    for view in range(len(room.mass)):
        fresh, again = shares(room, view, seen, count)
        for k in range(count):
            room.score[k] += room.mass[view, k] * (again if seen[k] else fresh)
    for k in range(count):
        room.score[k] = math.log(room.score[k] + np.float32(1e-12))


@kernel(inner=True)
def shares(room: Room, view: int, seen: F32, count: int) -> tuple[np.float32, np.float32]:
    """Return what a unit of a view's mass is worth, for items not seen and seen."""
    fresh = again = np.float32(0.0)
    for k in range(count):
        if seen[k]:
            again += room.mass[view, k]
        else:
            fresh += room.mass[view, k]
    return (
        room.weight[2 * view] / fresh if fresh > TINY else np.float32(0.0),
        room.weight[2 * view + 1] / again if again > TINY else np.float32(0.0),
    )


@kernel(inner=True)
def blend(world: World, rules: Rules, room: Room, count: int) -> None:
    """Score above 1 what goes with the last items, up to 1 what is popular."""
    trend, scales = world.trend, room.scales
    scale = np.float32(present(trend, rules.pair_half_life))
    best = 1e-300
    if trend.size[rules.baseline] > 0:
        best = max(world.items.weight[trend.top[rules.baseline, 0], rules.baseline], best)
    for k in range(count):
        fitting = room.mass[scales + NEAR, k] * scale
        if fitting > TINY:
            room.score[k] = 1.0 + fitting / (1.0 + fitting)
        else:
            room.score[k] = world.items.weight[room.item[k], rules.baseline] / best


@kernel(inner=True)
def by_mass(mass: F32, score: F32, count: int) -> None:
    """Score by mass, 1 for the largest; -inf for none."""
    most = largest(mass, count)
    for k in range(count):
        score[k] = mass[k] / most if mass[k] > 0.0 else np.float32(-np.inf)


@kernel(inner=True)
def train(world: World, rules: Rules, at: Segments, room: Room, target: int, count: int) -> None:
    """Learn that the candidate in column `target` was chosen among those that are scored."""
    if rules.head == SOFTMAX:
        chances(room.score, room.chance, count)
        room.chance[target] -= 1.0
        for row in (at.everybody, at.length, at.gap):
            forget(world.head.square[row])
        descend(world.head, rules.rate, at, room, count)
    elif rules.head == MIXTURE:
        attribute(world.head, at, room, target, count)


@kernel(inner=True, fastmath=True)
def chances(score: F32, chance: F32, count: int) -> None:
    """Set `chance` to the softmax of the scores."""
    most, total = largest(score, count), np.float32(0.0)
    for k in range(count):
        chance[k] = math.exp(score[k] - most)
        total += chance[k]
    for k in range(count):
        chance[k] /= total


@kernel(inner=True)
def forget(square: F32) -> None:
    """Let past gradients count a little less."""
    for f in range(len(square)):
        square[f] = max(square[f] * FORGET, LEAST_SQUARE)


@kernel(inner=True, fastmath=True)
def descend(head: Head, rate: float, at: Segments, room: Room, count: int) -> None:
    """Take one step; `room.chance` is the chances minus one at the target."""
    weight, square, step = head.weight, head.square, np.float32(rate)
    for f in range(len(room.weight)):
        slope, x = np.float32(0.0), room.feature[f]
        for k in range(count):
            slope += room.chance[k] * x[k]
        if slope == 0.0:
            continue
        for row in (at.everybody, at.length, at.gap):
            square[row, f] += slope * slope
            weight[row, f] -= step * slope / math.sqrt(square[row, f])


@kernel(inner=True)
def attribute(head: Head, at: Segments, room: Room, target: int, count: int) -> None:
    """Move each share towards its part in the chance that the mixture gave the target."""
    views = len(room.mass)
    seen = room.feature[PER_VIEW * views + SEEN]
    whole = math.exp(room.score[target])
    for view in range(views):
        fresh, again = shares(room, view, seen, count)
        part = room.mass[view, target] * (again if seen[target] else fresh) / whole
        for kind in range(PER_VIEW):
            wanted = part if kind == (1 if seen[target] else 0) else np.float32(0.0)
            for row in (at.everybody, at.length, at.gap):
                share = head.weight[row, 2 * view + kind]
                moved = share + EM_STEP * (wanted - share)
                head.weight[row, 2 * view + kind] = max(moved, LEAST_SHARE)


@kernel(inner=True)
def best(score: F32, count: int, listed: I32) -> int:
    """Fill `listed` with the columns of the highest scores; of equals, the one that came first.

    A score of -inf is not listed.
    """
    length, depth, least = 0, len(listed), np.float32(-np.inf)
    for k in range(count):
        value = score[k]
        if value <= least:
            continue
        at = min(length, depth - 1)
        while at > 0 and score[listed[at - 1]] < value:
            listed[at] = listed[at - 1]
            at -= 1
        listed[at] = k
        length = min(length + 1, depth)
        if length == depth:
            least = score[listed[depth - 1]]
    return length


@kernel(inner=True)
def place_among(room: Room, item: int, count: int) -> int:
    """Return how many candidates stand before an item, MISS where it would not be judged a hit."""
    target = standing(room, item)
    if target < 0 or room.score[target] == -np.inf:
        return MISS
    before, value = 0, room.score[target]
    for k in range(count):
        before += room.score[k] > value or (room.score[k] == value and k < target)
    return before if before < JUDGED else MISS
