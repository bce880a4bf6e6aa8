"""The flat arrays that the kernels work on. Rows are slots; -1 means nobody.

Every array of `ItemRows` and `UserRows` has one row per slot and grows by doubling, so neither
the first event nor the millionth pays for a catalogue that is not there.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Flags = NDArray[np.bool_]

JUDGED = 20  # a hit below this position counts for nothing
TRENDING = 96  # items whose order by popularity is always known
SESSION = 20  # last items of a session by which others find it


class ItemRows(NamedTuple):
    """What is known of each item; shared by all partitions of a worker.

    Weights are forward-decayed: an event at time t adds 2^((t - origin) / half-life), so that
    sums need no touching as time passes and stay sums.
    """

    weight: F64  # (items, scales) decayed counts of choices, one per half-life
    seen: I64  # (items,) plain count of choices
    first: F64  # (items,) time of the first choice, seconds
    latest: F64  # (items,) time of the last one
    near: I32  # (items, neighbours) what goes with it
    near_weight: F32  # (items, neighbours)
    near_size: I32  # (items,)
    after: I32  # (items, followers) what was chosen right after it
    after_weight: F32  # (items, followers)
    after_size: I32  # (items,)
    visit: I32  # (items, visits) a ring of the sessions that it was chosen in
    visits: I64  # (items,) how many there were; the newest stands at (visits - 1) % ring
    dirty: Flags  # (items,) its neighbours changed since they were last published


class Trend(NamedTuple):
    """What is known of all items together, per half-life."""

    top: I32  # (scales, TRENDING) most popular first
    size: I64  # (scales,)
    total: F64  # (scales,) decayed count of all choices
    origin: F64  # (scales + 1,) origin of the weights; the last one is that of all pairs
    clock: F64  # (2,) time of the latest event, count of all choices
    repeats: I64  # (2,) choices of known users, and those of them that chose an item again


class Sessions(NamedTuple):
    """The last items of many users; a user's slot is where the hash of the name points.

    Where two names point to one slot, the one who came last has it: a sliding sample that is
    the same on every worker and in every replay.
    """

    item: I32  # (sessions, SESSION) newest first
    size: I32  # (sessions,)
    owner: I64  # (sessions,) hash of the user's name


class Head(NamedTuple):
    """What the fusion has learned: a row of numbers for all users, and one per segment."""

    weight: F32  # (segments, features)
    square: F32  # (segments, features) of past gradients, for the size of the next step


class Watch(NamedTuple):
    """How much of what is chosen pairs foretell, and when that fell all at once."""

    seen: F64  # (5,) usual share, events it is the mean of; evidence of a fall, events, hits since
    turns: F64  # (TURNS,) times of the last falls, seconds, newest first; -inf for none


class SegmentRows(NamedTuple):
    """What people of each segment choose, see `learners.segments`; the rows in use come first.

    Weights are decayed like those of the popularity that lists are compared with.
    """

    name: U8  # (segments, LONGEST_BYTES) `country=de` in UTF-8, zeros behind it
    item: I32  # (segments, CHOSEN) what is chosen there
    weight: F32  # (segments, CHOSEN)
    size: I32  # (segments,)
    total: F64  # (segments,) decayed count of all choices


class Tried(NamedTuple):
    """How often lists held an item to find out whether people want it; no rows where none do."""

    lists: I32  # (items,)


class World(NamedTuple):
    """All that the partitions of a worker share."""

    items: ItemRows
    trend: Trend
    sessions: Sessions
    head: Head
    watch: Watch
    segments: SegmentRows
    tried: Tried


class UserRows(NamedTuple):
    """What is known of each user of one partition."""

    history: I32  # (users, history) last items, newest first
    when: F64  # (users, history) when each was chosen
    gave: F32  # (users, history) what each weighed for the items, 0 where they did not learn it
    saw: U8  # (users, history) with how many of the next older ones it was taught
    chosen: I32  # (users,) how many of them
    listed: I32  # (users, JUDGED) the last list as far as it is judged, best first
    length: I32  # (users,) items in the list
    made: F64  # (users,) time at which it was ranked
    version: I64  # (users,) events of the partition that were learned by then
    tag: I64  # (users,) hash of the name
    page: I32  # (users,) newest page of what the user has seen, -1 for none
    met: I32  # (users,) entries on the user's pages
    rekeyed: Flags  # (users,) the last event came to another partition first


Rows = TypeVar("Rows", ItemRows, UserRows, Tried)


class Widths(NamedTuple):
    """How wide the rows are."""

    scales: int
    neighbours: int
    followers: int
    visits: int
    history: int


def item_rows(rows: int, widths: Widths) -> ItemRows:
    """Return rows that know nothing yet."""
    return ItemRows(
        weight=np.zeros((rows, widths.scales)),
        seen=np.zeros(rows, np.int64),
        first=np.zeros(rows),
        latest=np.zeros(rows),
        near=np.full((rows, widths.neighbours), -1, np.int32),
        near_weight=np.zeros((rows, widths.neighbours), np.float32),
        near_size=np.zeros(rows, np.int32),
        after=np.full((rows, widths.followers), -1, np.int32),
        after_weight=np.zeros((rows, widths.followers), np.float32),
        after_size=np.zeros(rows, np.int32),
        visit=np.full((rows, widths.visits), -1, np.int32),
        visits=np.zeros(rows, np.int64),
        dirty=np.zeros(rows, np.bool_),
    )


def user_rows(rows: int, widths: Widths) -> UserRows:
    """Return rows that know nothing yet."""
    return UserRows(
        history=np.full((rows, widths.history), -1, np.int32),
        when=np.zeros((rows, widths.history)),
        gave=np.zeros((rows, widths.history), np.float32),
        saw=np.zeros((rows, widths.history), np.uint8),
        chosen=np.zeros(rows, np.int32),
        listed=np.full((rows, JUDGED), -1, np.int32),
        length=np.zeros(rows, np.int32),
        made=np.zeros(rows),
        version=np.zeros(rows, np.int64),
        tag=np.zeros(rows, np.int64),
        page=np.full(rows, -1, np.int32),
        met=np.zeros(rows, np.int32),
        rekeyed=np.zeros(rows, np.bool_),
    )


def trend(scales: int) -> Trend:
    """Return a world in which nothing has happened."""
    return Trend(
        top=np.full((scales, TRENDING), -1, np.int32),
        size=np.zeros(scales, np.int64),
        total=np.zeros(scales),
        origin=np.full(scales + 1, np.nan),
        clock=np.array([-np.inf, 0.0]),
        repeats=np.zeros(2, np.int64),
    )


def sessions(capacity: int) -> Sessions:
    """Return sessions of nobody."""
    return Sessions(
        np.full((capacity, SESSION), -1, np.int32),
        np.zeros(capacity, np.int32),
        np.zeros(capacity, np.int64),
    )


def tried(rows: int) -> Tried:
    """Return that nothing was tried yet."""
    return Tried(np.zeros(rows, np.int32))


def tried_for(known: Tried, rows: int) -> Tried:
    """Return the same for more items, where anything is tried at all."""
    return grown(known, tried(rows)) if len(known.lists) else known


def grown(rows: Rows, empty: Rows) -> Rows:
    """Return `empty`, which has more rows, with the contents of `rows` at its beginning."""
    for field in rows._fields:
        old = getattr(rows, field)
        getattr(empty, field)[: len(old)] = old
    return empty


def long_enough(values: I32, rows: int) -> I32:
    """Return the same values, one per row: 0 for rows that had none.

    >>> long_enough(np.array([7], np.int32), 3).tolist()
    [7, 0, 0]
    """
    more = rows - len(values)
    return np.concatenate([values, np.zeros(more, np.int32)]) if more > 0 else values


def room_for(rows: int, needed: int) -> int:
    """Return how many rows to have when `needed` are used: doubled until they suffice.

    >>> room_for(1024, 1025)
    2048
    """
    while rows < needed:
        rows *= 2
    return rows
