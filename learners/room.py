"""Room: where a pass over a user's candidates happens; who stands in which column.

The columns are candidates, in the order in which they came up; the rows of `mass` are views: one
per half-life of popularity, those named in `View`, then those of foreign rankers or of contexts.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, I64, Flags
from learners.floors import Floors, no_floors
from learners.kernel import kernel
from learners.sessions import BACK
from learners.shelves import Content

MOST = 512  # candidates; what goes with the last items may be more: it comes behind the popular
APART = 16  # rows a power of two long would push each other out of the processor's cache
# An item's column and the number of the pass share one number: a million candidates, and passes
# for 500 days at 200,000 a second.
COLUMN_BITS = 20
COLUMN = (1 << COLUMN_BITS) - 1


class View(IntEnum):
    """What a row of `mass` says, counted from behind the half-lives."""

    NEAR = 0  # co-occurrence with the last items, damped against popular items
    KIN = 1  # the same counts as a cosine
    RULE = 2  # the same counts as a share of each item's choices
    NEXT = 3  # what follows the last item
    ALIKE = 4  # sessions like this one
    SEQUEL = 5  # the same, what stands close after the common item first
    OWN = 6  # the user's own last items


VIEWS = len(View)
# Attributes in common with the last items, and with the very last; no rows where nobody asks.
CONTENT, LAST_CONTENT = VIEWS, VIEWS + 1
OF_CONTENT = 2
NEAR, KIN, RULE, NEXT, ALIKE, SEQUEL, OWN = (int(view) for view in View)

# The views of each generator besides popularity, whose views are the half-lives.
GENERATORS = {
    "recent": (OWN,),
    "co_occurrence": (NEAR, KIN, RULE),
    "transitions": (NEXT,),
    "neighbours": (ALIKE, SEQUEL),
}


class Use(NamedTuple):
    """Which generators are in use."""

    recent: bool
    co_occurrence: bool
    transitions: bool
    neighbours: bool
    content: bool


def views_of(use: Use) -> int:
    """Return how many views there are beside the half-lives and those of foreign rankers."""
    return VIEWS + OF_CONTENT * use.content


class Room(NamedTuple):
    """Room to work in: what the last pass left, and in `dirty` a batch."""

    scales: int  # half-lives of popularity: the first views
    stamp: I64  # (1,) number of the pass; what bears another number is from before
    known: I64  # (items,) the stamp of an item that the user has seen; minus it if barred
    place: I64  # (items,) the stamp of an item that is a candidate, and its column
    hidden: Flags  # (items,) what no list that is given out may hold
    hidden_count: I64  # (1,) how many items that may be, known here or not
    floors: Floors  # what of a list that is given out goes to which items
    content: Content  # what is said of items; like what is hidden, it is not learned
    item: I32  # (most,)
    mass: F32  # (views, most)
    share: F32  # (most,) largest contribution to NEAR or, without one, to ALIKE
    via: I32  # (most,) the user's item that made it, -1 for none
    feature: F32  # (features, most)
    score: F32  # (most,)
    chance: F32  # (most,)
    weight: F32  # (features,) the head's weights for this user now
    cause: I32  # (most,) the view that decided for it, counted as `View`, -1 for none of those
    lift: F32  # (most,) by how much
    likeness: F32  # (sessions,)
    matched: I32  # (sessions,)
    met: I32  # (visits looked at,)
    dirty: I32  # (items,) items that became dirty in this batch
    listed: I32  # (depth,) columns of the list, best first
    segment: I32  # (contexts,) rows of the segments of who is asked about, -1 for none
    narrow: Flags  # (1,) look at the first of them only
    odds: (
        F32  # (most,) the chance with which a candidate was drawn for its place, 0 where it was not
    )


class Size(NamedTuple):
    """How much room a recommender needs."""

    items: int
    sessions: int
    scales: int
    views: int
    features: int
    visits: int
    depth: int
    contexts: int


def room(size: Size, most: int, content: Content) -> Room:
    """Return room to work in for so many candidates."""

    def floats(*shape: int) -> F32:
        return np.zeros(shape, np.float32)

    return Room(
        scales=size.scales,
        stamp=np.zeros(1, np.int64),
        known=np.zeros(size.items, np.int64),
        place=np.zeros(size.items, np.int64),
        hidden=np.zeros(size.items, np.bool_),
        hidden_count=np.zeros(1, np.int64),
        floors=no_floors(),
        content=content,
        item=np.zeros(most, np.int32),
        mass=floats(size.views, most + APART),
        share=floats(most),
        via=np.full(most, -1, np.int32),
        feature=floats(size.features, most + APART),
        score=floats(most),
        chance=floats(most),
        weight=floats(size.features),
        cause=np.zeros(most, np.int32),
        lift=floats(most),
        likeness=floats(size.sessions),
        matched=np.zeros(size.sessions, np.int32),
        met=np.zeros(BACK * size.visits, np.int32),
        dirty=np.empty(size.items, np.int32),
        listed=np.empty(size.depth, np.int32),
        segment=np.full(size.contexts, -1, np.int32),
        narrow=np.zeros(1, np.bool_),
        odds=floats(most),
    )


@kernel(inner=True)
def standing(room: Room, item: int) -> int:
    """Return the column of an item that is a candidate, -1 for one that is not."""
    place = room.place[item]
    return place & COLUMN if place >> COLUMN_BITS == room.stamp[0] else -1


@kernel(inner=True)
def column_of(room: Room, item: int, count: int) -> int:
    """Return an item's column, `count` for a new one; -1 where it may not or cannot be one."""
    column, stamp = standing(room, item), room.stamp[0]
    if column >= 0:
        return column
    if count == len(room.item) or room.known[item] == -stamp:
        return -1
    room.place[item] = stamp << COLUMN_BITS | count
    room.item[count] = item
    room.via[count] = -1
    room.share[count] = 0.0
    for view in range(room.scales, len(room.mass)):
        room.mass[view, count] = 0.0
    return count


@kernel(inner=True)
def put(room: Room, items: I32, count: int) -> int:
    """Add items (-1: unknown) to the `count` candidates there; return how many there are."""
    for item in items:
        if item >= 0:
            count = max(count, column_of(room, item, count) + 1)
    return count
