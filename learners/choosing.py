"""Choosing: one list for a scenario, from candidates that are scored.

Pins come first, for what they take stands nowhere else; then what variety weighs in; then the best
of what is left. Caps hold throughout.
"""

from learners.arrays import I32, World
from learners.choice import NOTHING, Choice, allowed, factor_of
from learners.head import best
from learners.kernel import kernel
from learners.passes import Person
from learners.rules import learns
from learners.variety import take_varied


@kernel(inner=True)
def choose(
    world: World, person: Person, choice: Choice, scenario: int, user: int, count: int
) -> int:
    """Fill `room.listed` with a list for a scenario; return how long it is."""
    wishes, depth = choice.wishes, choice.wishes.length[scenario]
    order(person, choice, scenario, count)
    pinned = length = take_pinned(choice, scenario, count)
    if wishes.variety.wanted[scenario]:
        length = take_varied(world, person, choice, scenario, user, count, length)
    if wishes.capped[scenario]:
        length = take_allowed(choice, scenario, count, length)
    elif length < depth:
        length += best(choice.left, count, choice.taken[length:depth])
    lay_out(choice, pinned, length, person.room.listed)
    return length


@kernel(inner=True)
def order(person: Person, choice: Choice, scenario: int, count: int) -> None:
    """Fill `order` and `left` for one scenario."""
    given = person.room.chance if learns(person.rules) else person.room.score
    for k in range(count):
        factor = factor_of(choice, scenario, k)
        choice.order[k] = choice.left[k] = given[k] * factor if factor > 0.0 else NOTHING


@kernel(inner=True)
def take_pinned(choice: Choice, scenario: int, count: int) -> int:
    """Take the best that is left for each pinned place; return how many were found."""
    wishes, left, length = choice.wishes, choice.left, 0
    for n in range(wishes.pinned.first[scenario], wishes.pinned.first[scenario + 1]):
        found, most = -1, NOTHING
        for k in range(count):
            better = left[k] > most and factor_of(choice, wishes.pinned.row[n], k) > 0.0
            if better and allowed(choice, scenario, k, length):
                found, most = k, left[k]
        if found >= 0 and length < wishes.length[scenario]:
            choice.taken[length], choice.place[length] = found, wishes.pinned.place[n]
            left[found] = NOTHING
            length += 1
    return length


@kernel(inner=True)
def take_allowed(choice: Choice, scenario: int, count: int, length: int) -> int:
    """Take the best, never more of one value than the caps allow; return how many are taken."""
    left = choice.left
    while length < choice.wishes.length[scenario]:
        found, most = -1, NOTHING
        for k in range(count):
            if left[k] > most:
                found, most = k, left[k]
        if found < 0:
            break
        if allowed(choice, scenario, found, length):
            choice.taken[length] = found
            length += 1
        left[found] = NOTHING
    return length


@kernel(inner=True)
def lay_out(choice: Choice, pinned: int, length: int, listed: I32) -> None:
    """Put what is pinned at its places, or last where the list is shorter, the others around."""
    first, other = 0, pinned
    for place in range(length):
        choice.pinned[place] = first < pinned and (choice.place[first] <= place or other == length)
        if choice.pinned[place]:
            listed[place] = choice.taken[first]
            first += 1
        else:
            listed[place] = choice.taken[other]
            other += 1
