"""Step: judge, then learn, then rank, event by event, in one kernel call per batch."""

from typing import NamedTuple

from learners.arrays import F32, F64, I32, I64, JUDGED, Flags, ItemRows, Trend, UserRows, World
from learners.candidates import Room, gather, standing
from learners.counts import choose
from learners.features import describe
from learners.head import (
    Rules,
    Segments,
    best,
    chances,
    learns,
    place_among,
    score,
    segments,
    train,
)
from learners.kernel import kernel
from learners.pairs import follow, pair, pair_weight
from learners.reasons import explain
from learners.rows import place_of
from learners.seen import Pages, clear, has_met, mark, note
from learners.sessions import attend, slot_of

UNJUDGED = -2
RARE = 0.01  # share of repeated choices below which a blend offers nothing again
MISS = -1  # as `place_of` says it


class Columns(NamedTuple):
    """A batch of events, one entry per event."""

    user: I32
    newcomer: I64  # hash of the name where the user's slot belonged to somebody else, or 0
    item: I32  # -1 only in a replay, where the items have let this one go since
    ts: F64  # seconds
    weight: F64  # above 0 a choice, 0 nothing to learn, below a refusal
    barred: Flags  # the item must not be offered to this user again
    fresh: Flags  # judge a list ranked at this moment, too; a head that learns does so always
    last: Flags  # the user's last event in this batch: give out the list


class Verdicts(NamedTuple):
    """Where the chosen item stood before it was learned: position from 0, MISS or UNJUDGED."""

    stored: I32  # in the list that the user's last event left
    fresh: I32  # in a list ranked at this moment
    popular: I32  # among the most popular
    known: Flags  # the user has at least one event before
    new: Flags  # the user has not chosen this item before


class Lists(NamedTuple):
    """The lists that a batch leaves, one row per user with an event in it."""

    event: I32  # (lists,) index of the event in the batch
    item: I32  # (lists, depth)
    score: F32
    why: I32  # a `Reason`
    via: I32  # the user's item that led there, -1 for none
    length: I32


class Person(NamedTuple):
    """The users of a partition and the room to work in, as kernels take them together."""

    users: UserRows
    pages: Pages
    rules: Rules
    room: Room


@kernel
def step(
    world: World,
    person: Person,
    events: Columns,
    learn_items: bool,
    verdicts: Verdicts,
    lists: Lists,
) -> tuple[int, int]:
    """Take every event of a batch in turn; return how many lists and dirty items there are."""
    users, rules, room = person.users, person.rules, person.room
    given = dirty = 0
    for k in range(len(events.user)):
        user, item, ts, weight = events.user[k], events.item[k], events.ts[k], events.weight[k]
        if events.newcomer[k] != 0:
            clear(users, person.pages, user)
            users.chosen[user] = users.length[user] = 0
            users.tag[user] = events.newcomer[k]
        if weight > 0.0 and learn_items:
            judge(world, person, user, item, k, ts, events.fresh[k], verdicts)
            dirty = learn(world, users, rules, user, item, ts, weight, room, dirty)
        else:
            verdicts.stored[k] = verdicts.fresh[k] = verdicts.popular[k] = UNJUDGED
        if item >= 0 and weight != 0.0:
            if weight > 0.0:
                remember(users, user, item, ts)
            note(users, person.pages, user, item, events.barred[k], rules.pages)
        count = rank(world, person, user, ts)
        length = keep(users, user, room, count, ts)
        if events.last[k]:
            give(person, user, count, length, lists, given)
            lists.event[given] = k
            given += 1
    return given, dirty


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
    if user >= 0:
        chosen, own = users.chosen[user], slot_of(world.sessions, users.tag[user])
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
def learn_choice(world: World, person: Person, user: int, item: int, now: float, count: int) -> int:
    """Train the head with a choice; return its place among the candidates, MISS for none."""
    room, target = person.room, standing(person.room, item)
    if target < 0:
        return MISS
    place = place_among(room.score, count, target)
    train(world, person.rules, where(person.rules, person.users, user, now), room, target, count)
    return place if place < JUDGED else MISS


@kernel(inner=True)
def often_repeated(trend: Trend) -> bool:
    """Return whether users choose again what they have chosen, more often than by mistake."""
    return trend.repeats[1] >= RARE * trend.repeats[0]


@kernel(inner=True)
def note_repeat(trend: Trend, new: bool) -> None:
    """Count an event of a known user, and whether it chose something again."""
    trend.repeats[0] += 1
    trend.repeats[1] += not new


@kernel(inner=True)
def where(rules: Rules, users: UserRows, user: int, now: float) -> Segments:
    """Return the segments of a user (-1: of a stranger)."""
    if user < 0 or users.chosen[user] == 0:
        return segments(rules, 0, 0.0)
    return segments(rules, users.chosen[user], now - users.when[user, 0])


@kernel(inner=True)
def judge(
    world: World,
    person: Person,
    user: int,
    item: int,
    k: int,
    ts: float,
    fresh: bool,
    verdicts: Verdicts,
) -> None:
    """Look the item up in the list that waits for its user, and in one ranked now; train."""
    users, rules, trend = person.users, person.rules, world.trend
    known, length = users.chosen[user] > 0, users.length[user]
    verdicts.known[k] = known
    popular, size = trend.top[rules.baseline], min(trend.size[rules.baseline], JUDGED)
    verdicts.popular[k] = place_of(popular, size, item)
    verdicts.stored[k] = place_of(users.listed[user], length, item)
    verdicts.fresh[k] = UNJUDGED
    verdicts.new[k] = not has_met(users, person.pages, user, item)
    if fresh or learns(rules) or length == 0:
        count = rank(world, person, user, ts)
        place = learn_choice(world, person, user, item, ts, count)
        if fresh or learns(rules):
            verdicts.fresh[k] = place
        if length == 0:  # what a stranger is shown is ranked at that moment in both
            verdicts.stored[k] = place
    if known:
        note_repeat(trend, verdicts.new[k])


@kernel(inner=True)
def learn(
    world: World,
    users: UserRows,
    rules: Rules,
    user: int,
    item: int,
    ts: float,
    weight: float,
    room: Room,
    dirty: int,
) -> int:
    """Teach the items one choice; return how many items are dirty."""
    items, history, chosen = world.items, users.history[user], users.chosen[user]
    choose(items, world.trend, item, ts, weight, rules.half_lives)
    added = weight * pair_weight(items, world.trend, ts, rules.pair_half_life)
    if rules.use.pairs:
        pair(items, history, chosen, item, added)
    if rules.use.after and chosen > 0:
        follow(items, history[0], item, added)
    if rules.use.sessions:
        attend(items, world.sessions, users.tag[user], item)
    return mark_dirty(items, history, chosen, item, room.dirty, dirty)


@kernel(inner=True)
def mark_dirty(
    items: ItemRows, history: I32, chosen: int, item: int, noted: I32, dirty: int
) -> int:
    """Note whose neighbours an event changed; return how many items are noted."""
    for back in range(-1, chosen):
        other = item if back < 0 else history[back]
        if not items.dirty[other]:
            items.dirty[other] = True
            noted[dirty] = other
            dirty += 1
    return dirty


@kernel(inner=True)
def remember(users: UserRows, user: int, item: int, ts: float) -> None:
    """Put an item at the front of a user's history; the oldest goes."""
    history, when = users.history[user], users.when[user]
    chosen = min(users.chosen[user] + 1, len(history))
    for back in range(chosen - 1, 0, -1):
        history[back], when[back] = history[back - 1], when[back - 1]
    history[0], when[0] = item, ts
    users.chosen[user] = chosen


@kernel(inner=True)
def keep(users: UserRows, user: int, room: Room, count: int, now: float) -> int:
    """Pick the best, and store with the user what the next event is judged on."""
    length = best(room.score, count, room.listed)
    judged = min(length, JUDGED)
    users.length[user], users.made[user] = judged, now
    for place in range(judged):
        users.listed[user, place] = room.item[room.listed[place]]
    return length


@kernel(inner=True)
def give(person: Person, user: int, count: int, length: int, lists: Lists, row: int) -> None:
    """Write a list out for publishing, scores as chances where the head knows them."""
    rules, room = person.rules, person.room
    last = person.users.history[user, 0] if user >= 0 and person.users.chosen[user] > 0 else -1
    if learns(rules):
        chances(room.score, room.chance, count)
    given = room.chance if learns(rules) else room.score
    for place in range(length):
        column = room.listed[place]
        lists.item[row, place] = room.item[column]
        lists.score[row, place] = given[column]
    explain(rules, last, room, count, length, lists.why[row], lists.via[row])
    lists.length[row] = length
