"""Step: judge, then learn, then rank, event by event, in one kernel call per batch."""

from typing import NamedTuple

from learners.arrays import F32, F64, I32, I64, JUDGED, Flags, ItemRows, Trend, UserRows, World
from learners.counts import choose
from learners.explore import may_move, note_tried
from learners.given import Lists, give, keep, pick, place_picked
from learners.head import place_among, train
from learners.kernel import kernel
from learners.pairs import follow, pair, pair_weight
from learners.passes import Person, rank, where
from learners.room import standing
from learners.rows import MISS, place_of
from learners.rules import learns
from learners.seen import clear, has_met, note
from learners.segments import choose_within, several
from learners.sessions import attend
from learners.shelves import note_choice
from learners.turns import HITS, SINCE, USUAL, foretold, shorten, turned

UNJUDGED = -2
# What becomes of events: their user alone remembers them; the user does, and the items know them
# already; they are also judged, and teach no items; they teach.
ALONE, REMEMBER, JUDGE, TEACH = -1, 0, 1, 2


class Columns(NamedTuple):
    """A batch of events, one entry per event."""

    user: I32
    newcomer: I64  # hash of the name where the user's slot belonged to somebody else, or 0
    item: I32  # -1 for what is not learned, and in a replay for what was let go since
    ts: F64  # seconds
    weight: F64  # above 0 a choice, 0 nothing to learn, below a refusal
    barred: Flags  # the item must not be offered to this user again
    fresh: Flags  # judge a list ranked at this moment, too; a head that learns does so always
    last: Flags  # the user's last event in this batch: give out the list
    segment: I32  # (events, contexts) rows of the segments that the event names, -1 for none


class Verdicts(NamedTuple):
    """Where the chosen item stood before it was learned: position from 0, MISS or UNJUDGED."""

    stored: I32  # in the list that the user's last event left
    fresh: I32  # in a list ranked at this moment
    popular: I32  # among the most popular
    known: Flags  # the user has at least one event before
    new: Flags  # the user has not chosen this item before
    turn: F32  # (events, 2) share of choices foretold before and after taste turned; 0, 0 if not


@kernel
def step(
    world: World,
    person: Person,
    events: Columns,
    mode: int,
    served: bool,
    verdicts: Verdicts,
    lists: Lists,
) -> tuple[int, int]:
    """Take every event of a batch in turn; return how many lists and dirty items there are.

    `mode` is ALONE, REMEMBER, JUDGE or TEACH. Without `served` another worker makes the lists of
    these users: nothing is judged or ranked, the head learns nothing.
    """
    users, rules, room = person.users, person.rules, person.room
    given = dirty = 0
    for k in range(len(events.user)):
        user, item, ts, weight = events.user[k], events.item[k], events.ts[k], events.weight[k]
        if events.newcomer[k] != 0:
            clear(users, person.pages, user)
            users.chosen[user] = users.length[user] = 0
            users.tag[user] = events.newcomer[k]
        verdicts.stored[k] = verdicts.fresh[k] = verdicts.popular[k] = UNJUDGED
        verdicts.turn[k, :] = 0.0
        enter(room.segment, events.segment[k])
        if weight > 0.0 and item >= 0 and mode >= JUDGE:
            taught = take(world, person, events, k, mode, served, verdicts)
            if taught and served:
                dirty = mark_dirty(world.items, users, user, item, room.dirty, dirty)
        if item >= 0 and weight != 0.0:
            if weight > 0.0:
                gave = 0.0 if mode in (ALONE, JUDGE) else weight
                remember(users, user, item, ts, gave)
            note(users, person.pages, user, item, events.barred[k], rules.pages)
        if served:
            count = rank(world, person, user, ts)
            length = keep(world, person, user, count, ts)
            if rules.explored > 0.0:
                note_tried(world.tried, room, length)
            if events.last[k]:
                give(world, person, user, ts, count, length, lists, given)
                lists.event[given] = k
                given += 1
    room.segment[:] = -1
    return given, dirty


@kernel(inner=True)
def take(
    world: World, person: Person, events: Columns, k: int, mode: int, served: bool,
    verdicts: Verdicts,
) -> bool:  # fmt: skip
    """Judge a choice and, with TEACH, have it taught; return whether it was."""
    users, user, item, ts = person.users, events.user[k], events.item[k], events.ts[k]
    verdicts.known[k] = users.chosen[user] > 0
    verdicts.new[k] = not has_met(users, person.pages, user, item)
    judged = judge(world, person, user, item, k, ts, events.fresh[k], verdicts) if served else -1
    if mode != TEACH:
        return False
    if judged >= 0:
        teach(world, person, user, item, ts, judged)
    if verdicts.known[k]:
        note_repeat(world.trend, verdicts.new[k])
    look(world, person, user, item, ts, verdicts.turn[k])
    learn(world, person, user, item, ts, events.weight[k])
    return True


@kernel(inner=True)
def enter(segment: I32, named: I32) -> None:
    """Know the segments of the event that is taken."""
    for n in range(len(named)):
        segment[n] = named[n]


@kernel(inner=True)
def note_repeat(trend: Trend, new: bool) -> None:
    """Count an event of a known user, and whether it chose something again."""
    trend.repeats[0] += 1
    trend.repeats[1] += not new


@kernel(inner=True)
def look(world: World, person: Person, user: int, item: int, ts: float, found: F32) -> None:
    """Look whether taste has turned; if so, shorten memory and tell the shares of both sides."""
    users, rules, seen = person.users, person.rules, world.watch.seen
    if not rules.reacts or users.chosen[user] == 0 or users.history[user, 0] == item:
        return
    if turned(seen, foretold(world.items, users.history[user, 0], item)):
        found[0], found[1] = seen[USUAL], seen[HITS] / seen[SINCE]
        shorten(world.trend, world.watch, rules.half_lives, rules.pair_half_life, ts)


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
) -> int:
    """Look the item up in the list that waits for its user, and in one ranked now.

    Return how many candidates were ranked, -1 if none had to be.
    """
    users, rules, trend = person.users, person.rules, world.trend
    length = users.length[user]
    popular, size = trend.top[rules.baseline], min(trend.size[rules.baseline], JUDGED)
    verdicts.popular[k] = place_of(popular, size, item)
    verdicts.stored[k] = place_of(users.listed[user], length, item)
    if rules.use.content and verdicts.stored[k] == MISS:
        born = person.room.content.born[item]  # where it stood before anybody chose it
        verdicts.stored[k] = place_of(users.listed[user], length, born) if born >= 0 else MISS
    if not (fresh or learns(rules) or length == 0):
        return -1
    room, count, place = person.room, 0, 0
    passes = 2 if length == 0 and several(room.segment) else 1
    for n in range(passes):
        room.narrow[0] = n < passes - 1
        count = rank(world, person, user, ts)
        place = place_among(room, item, count)
        if rules.explored > 0.0 and may_move(rules, world.items.seen[item], place):
            place = place_picked(room, item, pick(world, person, user, count, ts))
        if length == 0 and n == 0:
            # What a stranger is shown is ranked at that moment in both: fresh by all that the
            # event says, stored as a reader finds it, by the first segment.
            verdicts.stored[k] = place
    if fresh or learns(rules):
        verdicts.fresh[k] = place
    return count


@kernel(inner=True)
def learn(world: World, person: Person, user: int, item: int, ts: float, weight: float) -> None:
    """Teach the items one choice."""
    users, rules = person.users, person.rules
    items, history, chosen = world.items, users.history[user], users.chosen[user]
    before = world.trend.origin[rules.baseline]
    choose(items, world.trend, item, ts, weight, rules.half_lives)
    choose_within(world, rules, person.room.segment, item, ts, weight, before)
    if rules.use.content:
        note_choice(person.room.content, item, items.seen[item])
    added = weight * pair_weight(items, world.trend, ts, rules.pair_half_life)
    if rules.use.co_occurrence:
        pair(items, history, chosen, item, added)
    if rules.use.transitions and chosen > 0:
        follow(items, history[0], item, added)
    if rules.use.neighbours:
        attend(items, world.sessions, users.tag[user], item)


@kernel(inner=True)
def teach(world: World, person: Person, user: int, item: int, now: float, count: int) -> None:
    """Train the head, if the item was among the candidates: a user chose it."""
    target = standing(person.room, item)
    if target >= 0:
        at = where(person.rules, person.users, user, now)
        train(world, person.rules, at, person.room, target, count)


@kernel(inner=True)
def mark_dirty(
    items: ItemRows, users: UserRows, user: int, item: int, noted: I32, dirty: int
) -> int:
    """Note whose neighbours an event changed; return how many items are noted."""
    history = users.history[user]
    for back in range(-1, users.chosen[user]):
        other = item if back < 0 else history[back]
        if not items.dirty[other]:
            items.dirty[other] = True
            noted[dirty] = other
            dirty += 1
    return dirty


@kernel(inner=True)
def remember(users: UserRows, user: int, item: int, ts: float, weight: float) -> None:
    """Put an item at the front of a user's history; the oldest goes."""
    history, when, gave = users.history[user], users.when[user], users.gave[user]
    saw, before = users.saw[user], users.chosen[user]
    chosen = min(before + 1, len(history))
    for back in range(chosen - 1, 0, -1):
        history[back], when[back] = history[back - 1], when[back - 1]
        gave[back], saw[back] = gave[back - 1], saw[back - 1]
    history[0], when[0], gave[0], saw[0] = item, ts, weight, before
    users.chosen[user] = chosen
