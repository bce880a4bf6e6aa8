"""Given: the lists that a pass leaves, with its user and for publishing."""

from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, JUDGED, World
from learners.explore import explore, seed_of
from learners.floors import keep_floors
from learners.head import best, chances
from learners.kernel import kernel
from learners.passes import Person
from learners.reasons import note_views, said
from learners.reserve import bring_up
from learners.room import Room
from learners.rows import MISS
from learners.rules import learns

LOWEST = np.float32(-1e30)


class Lists(NamedTuple):
    """The lists that a batch leaves, one row per user with an event in it."""

    event: I32  # (lists,) index of the event in the batch
    item: I32  # (lists, depth)
    score: F32
    why: I32  # a `Reason`
    via: I32  # the user's item that led there, -1 for none
    length: I32
    odds: F32  # (lists, depth) with what chance an item was drawn for its place, 0 where ranked


@kernel(inner=True)
def pick(world: World, person: Person, user: int, count: int, now: float) -> int:
    """Fill `room.listed` with a list of a user (-1: of a stranger); return how long it is."""
    rules, room, users = person.rules, person.room, person.users
    length = best(room.score, count, room.listed)
    if rules.explored > 0.0:
        room.odds[:] = 0.0
        if user >= 0:
            length = explore(world, rules, room, count, length, seed_of(users.tag[user], now))
    return length


@kernel(inner=True)
def place_picked(room: Room, item: int, length: int) -> int:
    """Return the place of an item on the list that was picked, MISS where it is not judged."""
    for place in range(min(length, JUDGED)):
        if room.item[room.listed[place]] == item:
            return place
    return MISS


@kernel(inner=True)
def keep(world: World, person: Person, user: int, count: int, now: float) -> int:
    """Pick a list, and store with the user what the next event is judged on."""
    users, room = person.users, person.room
    length = pick(world, person, user, count, now)
    judged = min(length, JUDGED)
    users.length[user], users.made[user] = judged, now
    for place in range(judged):
        users.listed[user, place] = room.item[room.listed[place]]
    return length


@kernel(inner=True)
def mask_hidden(room: Room, count: int, value: np.float32) -> bool:
    """Give candidates that are hidden another score; return whether there was one."""
    found = False
    for column in range(count):
        if room.hidden[room.item[column]]:
            room.score[column] = value
            found = True
    return found


@kernel(inner=True)
def give(
    world: World, person: Person, user: int, now: float, count: int, length: int, lists: Lists,
    row: int,
) -> None:  # fmt: skip
    """Write a list out for publishing, scores as chances where the head knows them.

    What is hidden is left out, and floors are kept, here and nowhere else: nothing that is learned
    or judged knows of it.
    """
    rules, room, more = person.rules, person.room, count
    if room.hidden_count[0] and mask_hidden(room, count, np.float32(-np.inf)):
        length = pick(world, person, user, count, now)
        mask_hidden(room, count, LOWEST)  # chances are summed by code that knows no infinity
    if len(room.floors.share):
        more = bring_up(world.items, room, count, length)
        keep_floors(room.floors, room.item, room.score, room.hidden, room.listed, more, length)
        room.score[count:more] = 0.0  # of what the head has not looked at
    given = room.score
    if learns(rules):
        chances(room.score, room.chance, count)
        given = room.chance
    note_views(rules, room, count)
    room.cause[count:more] = -1
    write_out(person, user, given, length, lists, row)


@kernel(inner=True)
def write_out(person: Person, user: int, given: F32, length: int, lists: Lists, row: int) -> None:
    """Write the listed candidates out, best first, with their scores and reasons."""
    room, users = person.room, person.users
    last = users.history[user, 0] if user >= 0 and users.chosen[user] > 0 else -1
    for place in range(length):
        column = room.listed[place]
        item = room.item[column]
        lists.item[row, place], lists.score[row, place] = item, given[column]
        why, via = said(room.cause[column], item, room.via[column], last)
        lists.why[row, place], lists.via[row, place] = why, via
        lists.odds[row, place] = room.odds[column]
    lists.length[row] = length
