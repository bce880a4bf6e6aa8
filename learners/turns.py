"""Turns: a change of taste is found by what follows what, and memory from before it is shortened.

A choice is foretold if it is among the FORETOLD heaviest neighbours of the user's last item. Where
that becomes rare all at once, by a CUSUM of likelihood ratios, taste has turned. All decayed sums,
popularity and pairs, then count as if SHORTENED half-lives had passed, and of people's histories
only what is younger puts up candidates. Weights are forward-decayed, so that is one subtraction per
half-life, whatever the size of the catalogue. Each worker that learns the events does the same,
also one that only follows: it takes histories and pairs for it, and no lists.

Source: Page, Continuous Inspection Schemes, 1954.
"""

import math

import numpy as np

from learners.arrays import F64, ItemRows, Trend, UserRows, Watch
from learners.kernel import kernel

FORETOLD = 5
FALL = 0.7  # what is looked for: a fall to this part of the usual share
CERTAIN = 20.0  # by how much, as a logarithm, a fall is likelier than none
SPAN = 5_000.0  # events that the usual share is the mean of
FIRST = 1_000.0  # events from the beginning, or from a turn, in which none is looked for
SHORTENED = 3.0  # half-lives: what was learned before counts an eighth
TURNS = 8  # that are remembered: of what is older, 2^-24 is left
USUAL, EVENTS, EVIDENCE, SINCE, HITS = range(5)
LEAST = 0.01  # where pairs foretell less, there is nothing that could fall
MOST = 0.95  # usual share up to which the ratios are numbers


def watch() -> Watch:
    """Return a watch that has seen nothing."""
    return Watch(np.zeros(HITS + 1), np.full(TURNS, -np.inf))


@kernel(inner=True)
def foretold(items: ItemRows, last: int, item: int) -> bool:
    """Return whether an item is among the heaviest neighbours of another one."""
    near, weight, size = items.near[last], items.near_weight[last], items.near_size[last]
    own = np.float32(0.0)
    for place in range(size):
        if near[place] == item:
            own = weight[place]
    if own == 0.0:
        return False
    heavier = 0
    for place in range(size):
        heavier += weight[place] > own and near[place] != last
    return heavier < FORETOLD


@kernel(inner=True)
def turned(seen: F64, hit: bool) -> bool:
    """Take one choice; return whether it is certain by now that fewer are foretold than usual."""
    if seen[EVENTS] >= FIRST and seen[USUAL] >= LEAST:
        usual = min(seen[USUAL], MOST)
        ratio = FALL if hit else (1.0 - FALL * usual) / (1.0 - usual)
        seen[EVIDENCE] += math.log(ratio)
        seen[SINCE] += 1.0
        seen[HITS] += hit
        if seen[EVIDENCE] > CERTAIN:
            return True
        if seen[EVIDENCE] < 0.0:
            seen[EVIDENCE] = seen[SINCE] = seen[HITS] = 0.0
    seen[EVENTS] = min(seen[EVENTS] + 1.0, SPAN)
    seen[USUAL] += (hit - seen[USUAL]) / seen[EVENTS]
    return False


@kernel(inner=True)
def shorten(trend: Trend, watch: Watch, half_lives: F64, pair_half_life: float, ts: float) -> None:
    """Let all sums count as if SHORTENED half-lives had passed; what is usual is found anew."""
    pairs = len(half_lives)
    for scale in range(pairs):
        trend.origin[scale] -= SHORTENED * half_lives[scale]
    trend.origin[pairs] -= SHORTENED * pair_half_life
    for place in range(TURNS - 1, 0, -1):
        watch.turns[place] = watch.turns[place - 1]
    watch.turns[0] = ts
    watch.seen[:] = 0.0


@kernel(inner=True)
def lately(watch: Watch, users: UserRows, user: int) -> int:
    """Return how many of a user's last items were chosen since the last turn."""
    when, count = users.when[user], 0
    while count < users.chosen[user] and when[count] >= watch.turns[0]:
        count += 1
    return count


def shortened(watch: Watch, ts: float) -> float:
    """Return how many half-lives were taken from what was learned at a time.

    >>> found = watch()
    >>> found.turns[:2] = [300.0, 200.0]
    >>> [shortened(found, ts) for ts in (100.0, 200.0, 300.0)]
    [6.0, 3.0, 0.0]
    """
    return SHORTENED * float((watch.turns > ts).sum())
