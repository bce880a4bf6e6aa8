"""Passes: one pass over a user's candidates, from what was seen to scores."""

from typing import NamedTuple

from learners.arrays import Trend, UserRows, World
from learners.candidates import gather
from learners.features import describe
from learners.head import score
from learners.kernel import kernel
from learners.room import Room
from learners.rules import Rules, Segments, learns, segments
from learners.seen import Pages, mark
from learners.segments import gather_segments
from learners.sessions import slot_of
from learners.turns import lately

RARE = 0.01  # share of repeated choices below which a blend offers nothing again


class Person(NamedTuple):
    """The users of a partition and the room to work in, as kernels take them together."""

    users: UserRows
    pages: Pages
    rules: Rules
    room: Room


@kernel(inner=True)
def rank(world: World, person: Person, user: int, now: float) -> int:
    """Score the candidates of a user (-1: of a stranger) at a moment; return how many."""
    person.room.stamp[0] += 1
    mark_seen(world, person, user)
    count = collect(world, person, user, 0)
    weigh(world, person, user, now, count)
    return count


@kernel(inner=True)
def mark_seen(world: World, person: Person, user: int) -> None:
    """Mark what a user (-1: a stranger) has seen, and what of it must not return."""
    rules, room = person.rules, person.room
    if user >= 0:
        returns = learns(rules) or not rules.learn_repeats or often_repeated(world.trend)
        mark(person.users, person.pages, user, room.stamp[0], returns, room.known)


@kernel(inner=True)
def collect(world: World, person: Person, user: int, count: int) -> int:
    """Add the candidates of a user to the `count` that are there; return how many there are."""
    users, chosen, own = person.users, 0, -1
    if user < 0 or users.chosen[user] == 0:
        count = gather_segments(world.segments, person.room, count)
    if user >= 0:
        chosen, own = lately(world.watch, users, user), slot_of(world.sessions, users.tag[user])
    history = users.history[max(user, 0)]
    return gather(world, history, chosen, own, person.rules.use, person.room, count)


@kernel(inner=True)
def weigh(world: World, person: Person, user: int, now: float, count: int) -> None:
    """Score the candidates that were collected."""
    users, rules, room = person.users, person.rules, person.room
    row = max(user, 0)
    chosen = users.chosen[user] if user >= 0 else 0
    if learns(rules):
        describe(world, users.history[row], users.when[row], chosen, now, room, count)
    score(world, rules, where(rules, users, user, now), room, count)


@kernel(inner=True)
def often_repeated(trend: Trend) -> bool:
    """Return whether users choose again what they have chosen, more often than by mistake."""
    return trend.repeats[1] >= RARE * trend.repeats[0]


@kernel(inner=True)
def where(rules: Rules, users: UserRows, user: int, now: float) -> Segments:
    """Return the segments of a user (-1: of a stranger)."""
    if user < 0 or users.chosen[user] == 0:
        return segments(rules, 0, 0.0)
    return segments(rules, users.chosen[user], now - users.when[user, 0])
