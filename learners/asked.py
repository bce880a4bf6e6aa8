"""Asked: lists and scores at a moment of the asker's choice.

`offer`, `weigh_offered` and `teach_offered` are the parts of a pass, for those who have something
to add in between: see `learners.foreign`. Nothing but the last one learns.
"""

from learners.arrays import I32, World
from learners.given import Lists, give, keep, pick
from learners.head import chances
from learners.kernel import kernel
from learners.passes import Person, collect, mark_seen, rank, weigh
from learners.room import put
from learners.rules import learns
from learners.step import teach


@kernel
def refresh(
    world: World, person: Person, wanted: I32, now: float, kept: bool, lists: Lists
) -> None:
    """Rank, at a moment, the lists of users (-1: of a stranger); `kept` lists wait from now on."""
    for row in range(len(wanted)):
        user = wanted[row]
        count = rank(world, person, user, now)
        if kept:
            length = keep(world, person, user, count, now)
        else:
            length = pick(world, person, user, count, now)
        give(world, person, user, now, count, length, lists, row)
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


@kernel
def weigh_offered(world: World, person: Person, user: int, now: float, count: int) -> None:
    """Score what was offered; a head that learns also tells the chances."""
    weigh(world, person, user, now, count)
    if learns(person.rules):
        chances(person.room.score, person.room.chance, count)


@kernel
def teach_offered(
    world: World, person: Person, user: int, item: int, now: float, count: int
) -> None:
    """Train the head: of what was offered and weighed, a user chose an item."""
    teach(world, person, user, item, now, count)
