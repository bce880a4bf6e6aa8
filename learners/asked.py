"""Asked: lists and scores at a moment of the asker's choice; nothing is learned from it."""

import numpy as np

from learners.arrays import F64, I32, World
from learners.candidates import column_of, standing
from learners.head import best, chances, learns
from learners.kernel import kernel
from learners.step import Lists, Person, give, keep, rank


@kernel
def refresh(
    world: World, person: Person, wanted: I32, now: float, kept: bool, lists: Lists
) -> None:
    """Rank, at a moment, the lists of users (-1: of a stranger); `kept` lists wait from now on."""
    for row in range(len(wanted)):
        user = wanted[row]
        person.room.stamp[0] += 1
        count = rank(world, person, user, now, 0)
        if kept:
            length = keep(person.users, user, person.room, count, now)
        else:
            length = best(person.room.score, count, person.room.listed)
        give(person, user, count, length, lists, row)
        lists.event[row] = row


@kernel
def score_wanted(
    world: World, person: Person, user: int, now: float, wanted: I32, out: F64
) -> None:
    """Score the wanted items (-1: unknown) for a user, whether or not they would be listed."""
    room = person.room
    room.stamp[0] += 1
    out[:] = 0.0
    count = 0
    for item in wanted:
        if item >= 0 and column_of(room, item, count) == count:
            count += 1
    count = rank(world, person, user, now, count)
    if learns(person.rules):
        chances(room.score, room.chance, count)
    given = room.chance if learns(person.rules) else room.score
    for k in range(len(wanted)):
        if wanted[k] >= 0:
            out[k] = max(given[standing(room, wanted[k])], np.float32(0.0))
