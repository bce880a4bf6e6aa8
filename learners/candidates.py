"""Candidates: what every generator would offer, each with the mass that each of them gives it.

The columns of `Room` are candidates, in the order in which they came up; the rows of `mass` are
views: one per half-life of popularity, then those named in `View`, then those of foreign rankers.
Nothing here looks at the whole catalogue.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, I64, ItemRows, Trend, World
from learners.kernel import kernel
from learners.pairs import damped
from learners.rows import place_of
from learners.sessions import BACK, BEFORE, meet, rarity

MOST = 512  # candidates; what goes with the last items may be more: it comes behind the popular
REACH = 10  # last items whose neighbours are candidates
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


class Use(NamedTuple):
    """Which generators are in use."""

    recent: bool
    pairs: bool
    after: bool
    sessions: bool


class Room(NamedTuple):
    """Room to work in; holds nothing between two events."""

    stamp: I64  # (1,) number of the pass; what bears another number is from before
    known: I64  # (items,) the stamp of an item that the user has seen; minus it if barred
    mark: I64  # (items,) the stamp of an item that is a candidate
    column: I32  # (items,) its column
    item: I32  # (most,)
    mass: F32  # (views, most)
    share: F32  # (most,) largest contribution to NEAR or, without one, to ALIKE
    via: I32  # (most,) the user's item that made it, -1 for none
    feature: F32  # (features, most)
    score: F32  # (most,)
    chance: F32  # (most,)
    weight: F32  # (features,) the head's weights for this user now
    likeness: F32  # (sessions,)
    matched: I32  # (sessions,)
    met: I32  # (visits looked at,)
    dirty: I32  # (items,) items that became dirty in this batch
    listed: I32  # (depth,) columns of the list, best first


def room(
    items: int, sessions: int, views: int, features: int, visits: int, depth: int, most: int
) -> Room:
    """Return room to work in."""

    def floats(*shape: int) -> F32:
        return np.zeros(shape, np.float32)

    return Room(
        stamp=np.zeros(1, np.int64),
        known=np.zeros(items, np.int64),
        mark=np.zeros(items, np.int64),
        column=np.zeros(items, np.int32),
        item=np.zeros(most, np.int32),
        mass=floats(views, most),
        share=floats(most),
        via=np.full(most, -1, np.int32),
        feature=floats(features, most),
        score=floats(most),
        chance=floats(most),
        weight=floats(features),
        likeness=floats(sessions),
        matched=np.zeros(sessions, np.int32),
        met=np.zeros(BACK * visits, np.int32),
        dirty=np.empty(items, np.int32),
        listed=np.empty(depth, np.int32),
    )


@kernel(inner=True)
def column_of(room: Room, item: int, count: int) -> int:
    """Return an item's column, `count` for a new one; -1 where it may not or cannot be one."""
    stamp = room.stamp[0]
    if room.mark[item] == stamp:
        return room.column[item]
    if count == len(room.item) or room.known[item] == -stamp:
        return -1
    room.mark[item] = stamp
    room.column[item] = count
    room.item[count] = item
    room.via[count] = -1
    room.share[count] = 0.0
    for view in range(len(room.mass)):
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
    scales = len(world.trend.size)
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
    sessions, scales = world.sessions, len(world.trend.size)
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
            if place <= at:
                mass[scales + SEQUEL, column] += like / np.float32(1 + at - place)
            else:
                mass[scales + SEQUEL, column] += (
                    like * np.float32(BEFORE) / np.float32(1 + place - at)
                )
            if via[column] < 0 or (mass[scales + NEAR, column] == 0.0 and like > share[column]):
                share[column] = like
                via[column] = matched[slot]
    return count


@kernel(inner=True)
def finish(items: ItemRows, trend: Trend, room: Room, count: int) -> None:
    """Fill in popularity, and normalise what the item's own number of choices decides."""
    mass, scales = room.mass, len(trend.size)
    for column in range(count):
        item = room.item[column]
        for scale in range(scales):
            mass[scale, column] = items.weight[item, scale]
        seen = max(items.seen[item], 1)
        rare = np.float32(rarity(trend, seen))
        mass[scales + NEAR, column] = damped(mass[scales + NEAR, column], seen)
        mass[scales + KIN, column] /= np.float32(math.sqrt(seen))
        mass[scales + ALIKE, column] *= rare
        mass[scales + SEQUEL, column] *= rare
