"""Scenarios: other lists of the same user, chosen from one pass over the candidates.

What is popular and fits a scenario, or one of its pins, is a candidate too, so that a list is long
even where nothing that goes with the user fits. Nothing here is learned or judged.
"""

from learners.arrays import I32, Flags, World
from learners.choice import Choice, factor_of
from learners.choosing import choose
from learners.given import Lists, write_out
from learners.head import chances
from learners.kernel import kernel
from learners.passes import Person, collect, mark_seen, weigh
from learners.reasons import PINNED, note_views
from learners.room import Room, column_of, standing
from learners.rules import learns


@kernel
def find_popular(world: World, baseline: int, hidden: Flags, choice: Choice) -> None:
    """Look through all items for the most popular that fit; some ns for each."""
    weight = world.items.weight
    for row in range(len(choice.factor)):
        found, depth, length = choice.popular[row], choice.popular.shape[1], 0
        found[:] = -1
        for item in range(len(choice.kind)):
            value = weight[item, baseline] * choice.factor[row, choice.kind[item]]
            if value <= 0.0 or hidden[item]:
                continue
            at = min(length, depth)
            while at > 0 and value > popularity(world, baseline, choice, row, found[at - 1]):
                if at < depth:
                    found[at] = found[at - 1]
                at -= 1
            if at < depth:
                found[at] = item
                length = min(length + 1, depth)


@kernel(inner=True)
def popularity(world: World, baseline: int, choice: Choice, row: int, item: int) -> float:
    """Return how popular an item is, in a row."""
    return world.items.weight[item, baseline] * choice.factor[row, choice.kind[item]]


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
        note_views(person.rules, room, count)
        for scenario in range(wanted.shape[1]):
            if wanted[k, scenario]:
                length = choose(world, person, choice, scenario, users[k], count)
                write_out(person, users[k], choice.order, length, lists, row)
                for place in range(length):
                    if choice.pinned[place]:
                        lists.why[row, place], lists.via[row, place] = PINNED, -1
                lists.event[row], which[row] = k, scenario
                row += 1


@kernel(inner=True)
def rank_all(
    world: World, person: Person, choice: Choice, wanted: Flags, user: int, now: float
) -> int:
    """Score a user's candidates; return how many.

    Where too few fit a wanted scenario, what is popular there is a candidate, too.
    """
    room = person.room
    room.stamp[0] += 1
    mark_seen(world, person, user)
    count = collect(world, person, user, 0)
    for k in range(count):
        note(choice, room, k)
    for row in range(len(choice.factor)):
        if wanted[choice.wishes.owner[row]]:
            missing = choice.wishes.need[row] - fitting(choice, row, count)
            count = put_popular(world, room, choice, row, missing, count)
    weigh(world, person, user, now, count)
    if learns(person.rules):
        chances(room.score, room.chance, count)
    return count


@kernel(inner=True)
def put_popular(
    world: World, room: Room, choice: Choice, row: int, missing: int, count: int
) -> int:
    """Add what is popular and may be listed, until nothing is missing.

    Items that were let go since it was looked for are nobody's.
    """
    for item in choice.popular[row]:
        if missing <= 0 or item < 0:
            break
        if world.items.seen[item] == 0 or standing(room, item) >= 0:
            continue
        if choice.wishes.unseen[row] and room.known[item] == room.stamp[0]:
            continue
        if column_of(room, item, count) == count:
            note(choice, room, count)
            missing -= factor_of(choice, row, count) > 0.0
            count += 1
    return count


@kernel(inner=True)
def note(choice: Choice, room: Room, k: int) -> None:
    """Note of which kind a candidate is, -1 for what is hidden, and whether the user saw it."""
    item = room.item[k]
    choice.column[k] = -1 if room.hidden[item] else choice.kind[item]
    choice.seen[k] = room.known[item] == room.stamp[0]


@kernel(inner=True)
def fitting(choice: Choice, row: int, count: int) -> int:
    """Return how many of the first candidates may be listed."""
    found = 0
    for k in range(count):
        found += factor_of(choice, row, k) > 0.0
    return found
