"""Variety: a list is built place by place, and what was taken already weighs in.

Each place goes to the candidate with the largest

    (1 - diversity - calibration) · worth - diversity · likeness - calibration · distance

*Worth* is its chance as a part of the best one's. *Likeness* is that to the one taken that it is
most like: the part of `diverse_by` in which both have the same value, or, where no attribute is
named, how often they were chosen together, as a cosine. *Distance* is how far the list with it is
from the user's own mix of `calibrated_by`: Kullback and Leibler's, as a part of the farthest. The
list's mix counts with a hundredth of the user's in it, or what is missing would be infinitely far.

Only the best three times a list's length take part: some hundred numbers per place, however many
candidates there are.

Source: Carbonell and Goldstein, The Use of MMR, 1998; Steck, Calibrated Recommendations, 2018.
"""

import math

import numpy as np

from learners.arrays import World
from learners.choice import NOTHING, Choice, allowed
from learners.head import best
from learners.kernel import kernel
from learners.pairs import present
from learners.passes import Person
from learners.room import standing
from learners.rows import place_of
from learners.wishes import WIDE

BLENDED = 0.01
FARTHEST = -math.log(BLENDED)
TINY = np.float32(1e-30)


@kernel(inner=True)
def take_varied(
    world: World, person: Person, choice: Choice, scenario: int, user: int, count: int, length: int
) -> int:
    """Take candidates until the list is full or none of the best is left; return how many are."""
    pool, depth = choice.pool, choice.wishes.length[scenario]
    pooled = best(choice.left, count, pool[: WIDE * depth])
    values = note_own(person, choice, scenario, user)
    for n in range(pooled):
        choice.like[pool[n]] = 0.0
        choice.mine[pool[n]] = own_value(choice, scenario, pool[n], values)
    for n in range(length):
        note_taken(world, person, choice, scenario, choice.taken[n], pooled, values)
    top = max(choice.left[pool[0]], TINY) if pooled else TINY
    measure(choice, values, length)
    while length < depth:
        found = worthiest(choice, scenario, top, pooled)
        if found < 0:
            break
        choice.left[found] = NOTHING
        if allowed(choice, scenario, found, length):
            choice.taken[length] = found
            length += 1
            note_taken(world, person, choice, scenario, found, pooled, values)
            measure(choice, values, length)
    return length


@kernel(inner=True)
def worthiest(choice: Choice, scenario: int, top: np.float32, pooled: int) -> int:
    """Return which candidate of the pool is to be taken next, -1 for none."""
    diversity = choice.wishes.variety.diversity[scenario]
    calibration = choice.wishes.variety.calibration[scenario]
    worth = (np.float32(1.0) - diversity - calibration) / top
    found, most = -1, NOTHING
    for n in range(pooled):
        k = choice.pool[n]
        value = worth * choice.left[k] - diversity * choice.like[k]
        value -= calibration * choice.distance[choice.mine[k]]
        if choice.left[k] > NOTHING and value > most:
            found, most = k, value
    return found


@kernel(inner=True)
def note_taken(
    world: World, person: Person, choice: Choice, scenario: int, k: int, pooled: int, values: int
) -> None:
    """Note which value of the user's a candidate has, and what of the pool is like it."""
    choice.met[own_value(choice, scenario, k, values)] += 1
    if choice.wishes.variety.together[scenario]:
        liken_neighbours(world, person, choice, person.room.item[k])
    elif choice.wishes.variety.diversity[scenario] > 0.0:
        liken_values(choice, scenario, k, pooled)


@kernel(inner=True)
def liken_values(choice: Choice, scenario: int, k: int, pooled: int) -> None:
    """Note how like the pool is to a candidate, by attributes."""
    by, column, value = choice.wishes.variety.by[scenario], choice.column, choice.value
    for n in range(pooled):
        other, same = choice.pool[n], np.float32(0.0)
        for a in range(len(by)):
            mine = value[a, column[k]]
            if mine >= 0 and mine == value[a, column[other]]:
                same += by[a]
        choice.like[other] = max(choice.like[other], same)


@kernel(inner=True)
def liken_neighbours(world: World, person: Person, choice: Choice, item: int) -> None:
    """Note how like the candidates are to an item, by how often they were chosen together."""
    items, room = world.items, person.room
    scale = present(world.trend, person.rules.pair_half_life) / math.sqrt(max(items.seen[item], 1))
    for place in range(items.near_size[item]):
        other = items.near[item, place]
        column = standing(room, other)
        if column >= 0:
            cosine = scale * items.near_weight[item, place] / math.sqrt(max(items.seen[other], 1))
            choice.like[column] = max(choice.like[column], np.float32(min(cosine, 1.0)))


@kernel(inner=True)
def note_own(person: Person, choice: Choice, scenario: int, user: int) -> int:
    """Note the mix of the user's last items; return how many values there are."""
    by, users, size, known = choice.wishes.variety.mixed[scenario], person.users, 0, 0
    choice.met[0] = 0
    if by < 0 or user < 0:
        return 0
    for back in range(users.chosen[user]):
        value = choice.value[by, choice.kind[users.history[user, back]]]
        if value >= 0:
            at = place_of(choice.own, size, value)
            if at < 0:
                at = size
                choice.own[at], choice.part[at], choice.met[at + 1] = value, 0.0, 0
                size += 1
            choice.part[at] += 1.0
            known += 1
    for at in range(size):
        choice.part[at] /= known
    return size


@kernel(inner=True)
def own_value(choice: Choice, scenario: int, k: int, values: int) -> int:
    """Return which of the user's values a candidate has, `values` for none of them."""
    by = choice.wishes.variety.mixed[scenario]
    if by < 0:
        return values
    at = place_of(choice.own, values, choice.value[by, choice.column[k]])
    return at if at >= 0 else values


@kernel(inner=True)
def measure(choice: Choice, values: int, length: int) -> None:
    """Fill `distance`, for a list of `length` candidates taken and one more."""
    whole = 0.0
    for at in range(values):
        whole += lacking(choice.part[at], choice.met[at] / (length + 1))
    choice.distance[values] = whole
    for at in range(values):
        less = lacking(choice.part[at], choice.met[at] / (length + 1))
        more = lacking(choice.part[at], (choice.met[at] + 1) / (length + 1))
        choice.distance[at] = whole - less + more


@kernel(inner=True)
def lacking(part: float, share: float) -> float:
    """Return what a value adds to the distance: `part` of the user's items, `share` of the list."""
    return part * math.log(part / ((1.0 - BLENDED) * share + BLENDED * part)) / FARTHEST
