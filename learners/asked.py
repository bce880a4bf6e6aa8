"""Asked: lists and scores at a moment of the asker's choice; nothing is learned from it.

`offer`, `weigh_offered` and `teach` are the parts of a pass, for those who have something to add
in between: see `learners.foreign`.
"""

from learners.arrays import I32, World
from learners.candidates import Room, column_of
from learners.head import best, chances, learns
from learners.kernel import kernel
from learners.step import Lists, Person, collect, give, keep, learn_choice, mark_seen, rank, weigh


@kernel
def refresh(
    world: World, person: Person, wanted: I32, now: float, kept: bool, lists: Lists
) -> None:
    """Rank, at a moment, the lists of users (-1: of a stranger); `kept` lists wait from now on."""
    for row in range(len(wanted)):
        user = wanted[row]
        count = rank(world, person, user, now)
        if kept:
            length = keep(person.users, user, person.room, count, now)
        else:
            length = best(person.room.score, count, person.room.listed)
        give(person, user, count, length, lists, row)
        lists.event[row] = row


@kernel
def offer(world: World, person: Person, user: int, wanted: I32, brought: I32) -> int:
    """Begin a pass; return how many candidates a user (-1: a stranger) has.

    First the wanted items (-1: unknown), whether or not they would be listed; then those that
    somebody else has brought, and those of the generators.
    """
    person.room.stamp[0] += 1
    count = put(person.room, wanted, 0)
    mark_seen(world, person, user)
    return collect(world, person, user, put(person.room, brought, count))


@kernel(inner=True)
def put(room: Room, items: I32, count: int) -> int:
    """Add items to the `count` candidates that are there; return how many there are."""
    for item in items:
        if item >= 0:
            count = max(count, column_of(room, item, count) + 1)
    return count


@kernel
def weigh_offered(world: World, person: Person, user: int, now: float, count: int) -> None:
    """Score what was offered; a head that learns also tells the chances."""
    weigh(world, person, user, now, count)
    if learns(person.rules):
        chances(person.room.score, person.room.chance, count)


@kernel
def teach(world: World, person: Person, user: int, item: int, now: float, count: int) -> None:
    """Train the head: of what was offered and weighed, a user chose an item."""
    learn_choice(world, person, user, item, now, count)
