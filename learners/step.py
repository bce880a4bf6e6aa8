"""Step: judge, then learn, then rank, event by event, in one kernel call per batch."""

from typing import NamedTuple

from learners.arrays import F32, F64, I32, JUDGED, Flags, ItemRows, Scratch, Trend, UserRows
from learners.counts import choose
from learners.kernel import kernel
from learners.pairs import pair
from learners.rank import Rules, position, rank

UNJUDGED = -2
MISS = -1


class Columns(NamedTuple):
    """A batch of events, one entry per event."""

    user: I32
    newcomer: Flags  # the user's slot belonged to somebody else before
    item: I32  # -1 only in a replay, where the items have let this one go since
    ts: F64  # seconds
    fresh: Flags  # judge a list ranked at this moment, too
    last: Flags  # the user's last event in this batch: give out the list


class Verdicts(NamedTuple):
    """Where the chosen item stood before it was learned: position from 0, MISS or UNJUDGED."""

    stored: I32  # in the list that the user's last event left
    fresh: I32  # in a list ranked at this moment
    popular: I32  # among what is trending
    known: Flags  # the user has at least one event before


class Lists(NamedTuple):
    """The lists that a batch leaves, one row per user with an event in it."""

    event: I32  # (lists,) index of the event in the batch
    item: I32  # (lists, depth)
    score: F32
    because: I32
    length: I32


@kernel
def step(
    items: ItemRows,
    trend: Trend,
    users: UserRows,
    rules: Rules,
    room: Scratch,
    events: Columns,
    learn_items: bool,
    verdicts: Verdicts,
    lists: Lists,
) -> tuple[int, int]:
    """Take every event of a batch in turn; return how many lists and dirty items there are."""
    given = dirty = 0
    for k in range(len(events.user)):
        user, item, ts = events.user[k], events.item[k], events.ts[k]
        history = users.history[user]
        if events.newcomer[k]:
            users.chosen[user] = users.length[user] = 0
        chosen = users.chosen[user]
        judge(trend, users, user, item, k, verdicts)
        if events.fresh[k] and chosen > 0:
            length = rank(items, trend, history, chosen, rules, room)
            verdicts.fresh[k] = position(room.item, min(length, JUDGED), item)
        elif events.fresh[k]:
            verdicts.fresh[k] = verdicts.popular[k]
        if learn_items:
            trend.clock[2] = max(trend.clock[2], ts)
            choose(items, trend, item, ts, rules.half_life)
            pair(items, trend, history, chosen, item, ts, rules.pair_half_life)
            dirty = mark(items, history, chosen, item, room, dirty)
        if item >= 0:
            remember(users, user, item)
        length = rank(items, trend, history, users.chosen[user], rules, room)
        keep(users, user, room, length)
        if events.last[k]:
            give(lists, given, room, length, k)
            given += 1
    return given, dirty


@kernel
def judge(trend: Trend, users: UserRows, user: int, item: int, k: int, verdicts: Verdicts) -> None:
    """Look the item up in the list that waits for its user; strangers see what is trending."""
    popular = position(trend.top, min(trend.size[0], JUDGED), item)
    length = users.length[user]
    verdicts.popular[k] = popular
    verdicts.known[k] = users.chosen[user] > 0
    verdicts.fresh[k] = UNJUDGED
    verdicts.stored[k] = popular
    if length > 0:
        verdicts.stored[k] = position(users.listed[user], min(length, JUDGED), item)


@kernel
def mark(items: ItemRows, history: I32, chosen: int, item: int, room: Scratch, dirty: int) -> int:
    """Note whose neighbours an event changed; return how many items are noted."""
    for back in range(-1, chosen):
        other = item if back < 0 else history[back]
        if not items.dirty[other]:
            items.dirty[other] = True
            room.dirty[dirty] = other
            dirty += 1
    return dirty


@kernel
def remember(users: UserRows, user: int, item: int) -> None:
    """Put an item at the front of a user's history; the oldest goes."""
    history = users.history[user]
    chosen = min(users.chosen[user] + 1, len(history))
    for back in range(chosen - 1, 0, -1):
        history[back] = history[back - 1]
    history[0] = item
    users.chosen[user] = chosen


@kernel
def keep(users: UserRows, user: int, room: Scratch, length: int) -> None:
    """Store the part of a list that the next event is judged on with its user."""
    judged = min(length, JUDGED)
    users.length[user] = judged
    users.listed[user, :judged] = room.item[:judged]


@kernel
def give(lists: Lists, row: int, room: Scratch, length: int, k: int) -> None:
    """Copy a list out for publishing."""
    lists.event[row] = k
    lists.length[row] = length
    lists.item[row, :length] = room.item[:length]
    lists.score[row, :length] = room.score[:length]
    lists.because[row, :length] = room.because[:length]
