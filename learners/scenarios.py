"""Scenarios: other lists of the same user, chosen from one pass over the candidates.

What is popular and fits a scenario is a candidate too, so that a list is long even where nothing
that goes with the user fits. Nothing here is learned or judged.
"""

from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, Flags, World
from learners.given import Lists, write_out
from learners.head import best, chances
from learners.kernel import kernel
from learners.passes import Person, collect, mark_seen, weigh
from learners.reasons import note_usual
from learners.room import Room, column_of
from learners.rules import learns


class Choice(NamedTuple):
    """What each scenario chooses, and room to work in for the candidates of one pass."""

    kind: I32  # (items,) items of one kind fit the same scenarios
    factor: F32  # (scenarios, kinds) what a chance is multiplied by, 0 where it does not fit
    value: I32  # (capped, kinds) which value of a capped attribute items have, -1 for none
    cap: I32  # (scenarios, capped) how many items of one value a list may have, 0 for any number
    capped: Flags  # (scenarios,) whether there is a cap
    unseen: Flags  # (scenarios,) nothing that the user has seen
    popular: I32  # (scenarios, TRENDING) what fits and is chosen most, -1 for none
    column: I32  # (most,) of which kind a candidate is, -1 for what is hidden
    seen: Flags  # (most,) whether the user has seen it
    order: F32  # (most,) what the candidates are ordered by
    left: F32  # (most,) the same of those that were not looked at


@kernel
def find_popular(world: World, baseline: int, hidden: Flags, choice: Choice) -> None:
    """Look through all items for the most popular that fit; some ns for each."""
    weight = world.items.weight
    for scenario in range(len(choice.factor)):
        found, depth, length = choice.popular[scenario], choice.popular.shape[1], 0
        found[:] = -1
        for item in range(len(choice.kind)):
            value = weight[item, baseline] * choice.factor[scenario, choice.kind[item]]
            if value <= 0.0 or hidden[item]:
                continue
            at = min(length, depth)
            while at > 0 and value > popularity(world, baseline, choice, scenario, found[at - 1]):
                if at < depth:
                    found[at] = found[at - 1]
                at -= 1
            if at < depth:
                found[at] = item
                length = min(length + 1, depth)


@kernel(inner=True)
def popularity(world: World, baseline: int, choice: Choice, scenario: int, item: int) -> float:
    """Return how popular an item is, in a scenario."""
    factor = choice.factor[scenario, choice.kind[item]]
    return world.items.weight[item, baseline] * factor


@kernel
def rank_scenarios(
    world: World, person: Person, choice: Choice, users: I32, wanted: Flags, now: float,
    lists: Lists, which: I32,
) -> None:  # fmt: skip
    """Rank lists of users (-1: of a stranger): those that are `wanted`, (users, scenarios).

    Each takes a row of `lists`, whose `event` is the user's place in `users`; `which` is the
    scenario.
    """
    room, row = person.room, 0
    for k in range(len(users)):
        count = rank_all(world, person, choice, wanted[k], users[k], now)
        note_usual(person.rules, room, count)
        for scenario in range(wanted.shape[1]):
            if wanted[k, scenario]:
                order(person, choice, scenario, count)
                if choice.capped[scenario]:
                    length = best_capped(choice, scenario, count, room.listed)
                else:
                    length = best(choice.order, count, room.listed)
                write_out(person, users[k], choice.order, length, lists, row)
                lists.event[row], which[row] = k, scenario
                row += 1


@kernel(inner=True)
def rank_all(
    world: World, person: Person, choice: Choice, wanted: Flags, user: int, now: float
) -> int:
    """Score a user's candidates; return how many.

    Where too few fit a wanted scenario, what is popular there is a candidate, too.
    """
    room, depth = person.room, len(person.room.listed)
    room.stamp[0] += 1
    mark_seen(world, person, user)
    found = count = collect(world, person, user, 0)
    note_columns(room, choice, 0, found)
    for scenario in range(len(wanted)):
        if wanted[scenario] and fitting(choice, scenario, found) < depth:
            count = put_popular(world, room, choice.popular[scenario], count)
    note_columns(room, choice, found, count)
    weigh(world, person, user, now, count)
    if learns(person.rules):
        chances(room.score, room.chance, count)
    return count


@kernel(inner=True)
def put_popular(world: World, room: Room, popular: I32, count: int) -> int:
    """Add what is popular; items that were let go since it was looked for are nobody's."""
    for item in popular:
        if item >= 0 and world.items.seen[item] > 0:
            count = max(count, column_of(room, item, count) + 1)
    return count


@kernel(inner=True)
def note_columns(room: Room, choice: Choice, begin: int, end: int) -> None:
    """Note of which kind candidates are, -1 for what is hidden, and whether the user saw them."""
    stamp = room.stamp[0]
    for k in range(begin, end):
        item = room.item[k]
        choice.column[k] = -1 if room.hidden[item] else choice.kind[item]
        choice.seen[k] = room.known[item] == stamp


@kernel(inner=True)
def factor_of(choice: Choice, scenario: int, k: int) -> np.float32:
    """Return what the chance of a candidate is multiplied by, 0 for what must not be listed."""
    kind = choice.column[k]
    if kind < 0 or (choice.seen[k] and choice.unseen[scenario]):
        return np.float32(0.0)
    return choice.factor[scenario, kind]


@kernel(inner=True)
def fitting(choice: Choice, scenario: int, count: int) -> int:
    """Return how many of the first candidates may be listed in a scenario."""
    found = 0
    for k in range(count):
        found += factor_of(choice, scenario, k) > 0.0
    return found


@kernel(inner=True)
def order(person: Person, choice: Choice, scenario: int, count: int) -> None:
    """Fill `choice.order` for one scenario, -inf for what must not be listed."""
    given = person.room.score
    if learns(person.rules):
        given = person.room.chance
    for k in range(count):
        factor = factor_of(choice, scenario, k)
        choice.order[k] = given[k] * factor if factor > 0.0 else np.float32(-np.inf)


@kernel(inner=True)
def best_capped(choice: Choice, scenario: int, count: int, listed: I32) -> int:
    """Fill `listed` with the best candidates, never more of one value than the caps allow."""
    length, left = 0, choice.left
    for k in range(count):
        left[k] = choice.order[k]
    while length < len(listed):
        first = -1
        for k in range(count):
            if left[k] > (left[first] if first >= 0 else -np.inf):
                first = k
        if first < 0:
            break
        if allowed(choice, scenario, first, listed, length):
            listed[length] = first
            length += 1
        left[first] = -np.inf
    return length


@kernel(inner=True)
def allowed(choice: Choice, scenario: int, k: int, listed: I32, length: int) -> bool:
    """Return whether the caps allow one more candidate of these values on a list."""
    for n in range(choice.cap.shape[1]):
        cap, value, same = choice.cap[scenario, n], choice.value[n, choice.column[k]], 0
        if cap > 0 and value >= 0:
            for place in range(length):
                same += choice.value[n, choice.column[listed[place]]] == value
            if same >= cap:
                return False
    return True
