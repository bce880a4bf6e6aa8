"""Candidates: what every generator would offer, each with the mass that each of them gives it.

The columns of `Room` are candidates, in the order in which they came up; the rows of `mass` are
views: one per half-life of popularity, then those named in `View`, then those of foreign rankers.
Nothing here looks at the whole catalogue.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, I64, SESSION, ItemRows, Trend, World
from learners.kernel import kernel
from learners.rows import place_of
from learners.sessions import BACK, BEFORE, meet
from learners.vectors import log2

MOST = 512  # candidates; what goes with the last items may be more: it comes behind the popular
REACH = 10  # last items whose neighbours are candidates
LN2 = np.float32(math.log(2.0))
APART = 16  # rows a power of two long would push each other out of the processor's cache
COLUMN_BITS = 24
TOPS = 32  # most popular items per half-life that are candidates


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
NEAR, KIN, RULE, NEXT, ALIKE, SEQUEL, OWN = (int(view) for view in View)

# The views of each generator besides popularity, whose views are the half-lives.
GENERATORS = {
    "recent": (OWN,),
    "co_occurrence": (NEAR, KIN, RULE),
    "transitions": (NEXT,),
    "neighbours": (ALIKE, SEQUEL),
}

# What an item of a session counts by how far it stands from the common one, from SESSION - 1
# places after it in time to as many before.
CLOSE = np.array(
    [(1.0 if d <= 0 else BEFORE) / (1 + abs(d)) for d in range(1 - SESSION, SESSION)], np.float32
)


class Use(NamedTuple):
    """Which generators are in use."""

    recent: bool
    pairs: bool
    after: bool
    sessions: bool


class Room(NamedTuple):
    """Room to work in; holds nothing between two events."""

    scales: int  # half-lives of popularity: the first views
    stamp: I64  # (1,) number of the pass; what bears another number is from before
    known: I64  # (items,) the stamp of an item that the user has seen; minus it if barred
    place: I64  # (items,) the stamp of an item that is a candidate, and its column
    item: I32  # (most,)
    mass: F32  # (views, most)
    share: F32  # (most,) largest contribution to NEAR or, without one, to ALIKE
    via: I32  # (most,) the user's item that made it, -1 for none
    feature: F32  # (features, most)
    score: F32  # (most,)
    chance: F32  # (most,)
    weight: F32  # (features,) the head's weights for this user now
    usual: F32  # (views,) each view's part in the score of the average candidate
    likeness: F32  # (sessions,)
    matched: I32  # (sessions,)
    met: I32  # (visits looked at,)
    dirty: I32  # (items,) items that became dirty in this batch
    listed: I32  # (depth,) columns of the list, best first


class Size(NamedTuple):
    """How much room a recommender needs."""

    items: int
    sessions: int
    scales: int
    views: int
    features: int
    visits: int
    depth: int


def room(size: Size, most: int) -> Room:
    """Return room to work in for so many candidates."""

    def floats(*shape: int) -> F32:
        return np.zeros(shape, np.float32)

    return Room(
        scales=size.scales,
        stamp=np.zeros(1, np.int64),
        known=np.zeros(size.items, np.int64),
        place=np.zeros(size.items, np.int64),
        item=np.zeros(most, np.int32),
        mass=floats(size.views, most + APART),
        share=floats(most),
        via=np.full(most, -1, np.int32),
        feature=floats(size.features, most + APART),
        score=floats(most),
        chance=floats(most),
        weight=floats(size.features),
        usual=floats(size.views),
        likeness=floats(size.sessions),
        matched=np.zeros(size.sessions, np.int32),
        met=np.zeros(BACK * size.visits, np.int32),
        dirty=np.empty(size.items, np.int32),
        listed=np.empty(size.depth, np.int32),
    )


@kernel(inner=True)
def standing(room: Room, item: int) -> int:
    """Return the column of an item that is a candidate, -1 for one that is not."""
    place = room.place[item]
    return place & ((1 << COLUMN_BITS) - 1) if place >> COLUMN_BITS == room.stamp[0] else -1


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
def gather(
    world: World, history: I32, chosen: int, own: int, use: Use, room: Room, count: int
) -> int:
    """Add the candidates of a user to the `count` that are there; return how many there are.

    `own` is the slot of the user's own session, and what the user has seen is marked in
    `room.known` with the stamp of this pass.
    """
    scales = room.scales
    if use.recent:
        count = recall(history, chosen, scales + OWN, room, count)
    if use.after and chosen > 0:
        count = gather_next(world.items, history[0], scales + NEXT, room, count)
    for scale in range(scales):
        for place in range(min(world.trend.size[scale], max(TOPS, len(room.listed)))):
            if column_of(room, world.trend.top[scale, place], count) == count:
                count += 1
    if use.pairs:
        count = gather_near(world.items, history, chosen, scales, room, count)
    if use.sessions:
        count = gather_alike(world, history, chosen, own, room, count)
    finish(world.items, world.trend, room, count)
    return count


@kernel(inner=True)
def recall(history: I32, chosen: int, view: int, room: Room, count: int) -> int:
    """Add the user's own last items, the newest with the largest mass."""
    for back in range(chosen):
        column = column_of(room, history[back], count)
        if column >= 0:
            room.mass[view, column] += np.float32(1.0 / (back + 1))
            count = max(count, column + 1)
    return count


@kernel(inner=True)
def gather_near(
    items: ItemRows, history: I32, chosen: int, scales: int, room: Room, count: int
) -> int:
    """Add the neighbours of the last items."""
    near, weights, seen = items.near, items.near_weight, items.seen
    mass, share, via = room.mass, room.share, room.via
    for back in range(min(chosen, REACH)):
        item = history[back]
        far = 1.0 / (back + 1.0)
        often = max(seen[item], 1)
        for place in range(items.near_size[item]):
            column = column_of(room, near[item, place], count)
            if column < 0:
                continue
            count = max(count, column + 1)
            weight = weights[item, place]
            part = np.float32(weight * far * far)
            mass[scales + NEAR, column] += part
            mass[scales + KIN, column] += np.float32(weight * far / math.sqrt(often))
            mass[scales + RULE, column] += np.float32(weight / often)
            if part > share[column]:
                share[column] = part
                via[column] = item
    return count


@kernel(inner=True)
def gather_next(items: ItemRows, last: int, view: int, room: Room, count: int) -> int:
    """Add what was chosen right after the last item."""
    for place in range(items.after_size[last]):
        column = column_of(room, items.after[last, place], count)
        if column >= 0:
            room.mass[view, column] += np.float32(items.after_weight[last, place])
            count = max(count, column + 1)
    return count


@kernel(inner=True)
def gather_alike(world: World, history: I32, chosen: int, own: int, room: Room, count: int) -> int:
    """Add what sessions like this one hold."""
    sessions, scales = world.sessions, room.scales
    mass, share, via = room.mass, room.share, room.via
    likeness, matched = room.likeness, room.matched
    met = meet(world.items, world.trend, history, chosen, own, likeness, matched, room.met)
    for k in range(met):
        slot = room.met[k]
        like, likeness[slot] = likeness[slot], np.float32(0.0)
        row, size = sessions.item[slot], sessions.size[slot]
        at = place_of(row, size, matched[slot])  # -1 where the session has moved on
        if at < 0:
            continue
        for place in range(size):
            column = column_of(room, row[place], count)
            if column < 0:
                continue
            count = max(count, column + 1)
            mass[scales + ALIKE, column] += like
            mass[scales + SEQUEL, column] += like * CLOSE[SESSION - 1 + place - at]
            if via[column] < 0 or (mass[scales + NEAR, column] == 0.0 and like > share[column]):
                share[column] = like
                via[column] = matched[slot]
    return count


@kernel(inner=True)
def finish(items: ItemRows, trend: Trend, room: Room, count: int) -> None:
    """Fill in popularity, and normalise what the item's own number of choices decides."""
    mass, scales, often = room.mass, room.scales, room.score
    for column in range(count):
        item = room.item[column]
        for scale in range(scales):
            mass[scale, column] = items.weight[item, scale]
        often[column] = max(items.seen[item], 1)
    events = np.float32(1.0 + trend.clock[1])
    roots(mass[scales + NEAR], mass[scales + KIN], often, count)
    rarer(mass[scales + ALIKE], mass[scales + SEQUEL], often, events, count)


@kernel(inner=True, fastmath=True)
def roots(near: F32, kin: F32, often: F32, count: int) -> None:
    """Divide by the fourth root (see `damped`) and by the root of how often each was chosen."""
    for k in range(count):
        root = np.sqrt(often[k])
        near[k] /= np.sqrt(root)
        kin[k] /= root


@kernel(inner=True, fastmath=True)
def rarer(alike: F32, sequel: F32, often: F32, events: np.float32, count: int) -> None:
    """Multiply by how rare each is, see `rarity`."""
    all_ = log2(events)
    for k in range(count):
        rare = (all_ - log2(often[k])) * LN2 + np.float32(1e-6)
        alike[k] *= rare
        sequel[k] *= rare
