"""Explore: a few places of a list go to items of which too little is known to rank them.

Among the candidates that few have chosen and that fit, one is drawn for each place. Its odds are
the chance that the head gives it, times how often it was chosen by how often it was tried (both
plus one): high as long as nothing is known, and lower with every list that nobody chose it from
(optimism in the face of uncertainty, Lai and Robbins 1985). It is a draw and not the best, so that
the odds of each are known, and they are told with the list. How many places, which of them, and
who: all follows from the user, the time and the state.
"""

import math

import numpy as np

from learners.arrays import F32, I32, ItemRows, Tried, World
from learners.features import TINY
from learners.kernel import kernel
from learners.room import CONTENT, Room
from learners.rows import MISS
from learners.rules import Rules
from learners.shelves import RARE
from learners.vectors import largest, sum_of

# Share of a list, from its begin, that is never explored. With one place of 20, always between the
# sixth and the tenth, HR@10 on movietweetings-100k fell from .251 to .244.
FIRST = 0.25
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel(inner=True)
def explore(world: World, rules: Rules, room: Room, count: int, length: int, seed: int) -> int:
    """Put items to the `length` ones that are listed; return how many there are then."""
    places = int(rules.explored + chance_of(seed, 0))
    if places == 0:
        return length
    weigh_rare(world.items, world.tried, room, count, length)
    first = rules.length * FIRST
    apart = (rules.length - first) / places
    for n in range(places):
        total = sum_of(room.chance, count)  # anew: a difference would keep what was rounded away
        if not total > TINY:
            break
        column = drawn(room.chance, count, total * np.float32(chance_of(seed, 2 * n + 1)))
        place = int(first + apart * (n + chance_of(seed, 2 * n + 2)))
        place = min(place, length, len(room.listed) - 1)
        odds = room.chance[column] / total
        length = insert(room.listed, place, length)
        room.listed[place], room.odds[column] = column, odds
        room.chance[column] = 0.0
    return length


@kernel(inner=True)
def may_move(rules: Rules, seen: int, place: int) -> bool:
    """Return whether an item may stand elsewhere than ranked: behind others, or itself drawn."""
    return place >= int(rules.length * FIRST) or (place == MISS and seen < RARE)


@kernel(inner=True)
def weigh_rare(items: ItemRows, tried: Tried, room: Room, count: int, length: int) -> None:
    """Fill `room.chance` with what speaks for trying each candidate."""
    weight, fit, stamp = room.chance, room.mass[room.scales + CONTENT], room.stamp[0]
    most = largest(room.score, count)
    for k in range(count):
        item = room.item[k]
        weight[k] = 0.0
        new = items.seen[item] < RARE and room.known[item] != stamp
        if fit[k] > 0.0 and new and room.score[k] > -np.inf:
            known = (1.0 + items.seen[item]) / (1.0 + tried.lists[item])
            weight[k] = math.exp(room.score[k] - most) * known
    for place in range(length):
        weight[room.listed[place]] = 0.0


@kernel(inner=True)
def drawn(weight: F32, count: int, at: np.float32) -> int:
    """Return the column that a point between 0 and the sum of the weights falls on."""
    found = 0
    for k in range(count):
        if weight[k] > 0.0:
            found = k
            at -= weight[k]
            if at < 0.0:
                break
    return found


@kernel(inner=True)
def insert(listed: I32, place: int, length: int) -> int:
    """Make room at a place of a list, at whose end one may go; return how long it is."""
    length = min(length + 1, len(listed))
    for k in range(length - 1, place, -1):
        listed[k] = listed[k - 1]
    return length


@kernel(inner=True)
def note_tried(tried: Tried, room: Room, length: int) -> None:
    """Count that items were tried."""
    for place in range(length):
        column = room.listed[place]
        if room.odds[column] > 0.0:
            tried.lists[room.item[column]] += 1


@kernel(inner=True)
def seed_of(tag: int, now: float) -> int:
    """Return what the draws of a user's list at a time follow from."""
    return tag ^ int(now * 1000.0)


@kernel(inner=True)
def chance_of(seed: int, draw: int) -> float:
    """Return a number from 0 up to 1 (splitmix64, Steele et al. 2014)."""
    x = np.uint64(seed) + np.uint64(draw + 1) * GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return float(x >> np.uint64(11)) * 2.0**-53
