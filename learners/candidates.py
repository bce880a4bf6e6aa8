"""Candidates: what every generator would offer, each with the mass that each of them gives it.

Nothing here looks at the whole catalogue.
"""

import math

import numpy as np

from learners.arrays import F32, I32, ItemRows, Trend, World
from learners.content import gather_content
from learners.kernel import kernel
from learners.room import ALIKE, KIN, NEAR, NEXT, OWN, RULE, SEQUEL, Room, Use, column_of
from learners.rows import place_of
from learners.sessions import CLOSE, OLDEST, meet
from learners.vectors import log2

REACH = 10  # last items whose neighbours are candidates
TOPS = 32  # most popular items per half-life that are candidates
LN2 = np.float32(math.log(2.0))


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
    if use.transitions and chosen > 0:
        count = gather_next(world.items, history[0], scales + NEXT, room, count)
    for scale in range(scales):
        for place in range(min(world.trend.size[scale], max(TOPS, len(room.listed)))):
            if column_of(room, world.trend.top[scale, place], count) == count:
                count += 1
    if use.co_occurrence:
        count = gather_near(world.items, history, chosen, room, count)
    if use.neighbours:
        count = gather_alike(world, history, chosen, own, room, count)
    if use.content:
        count = gather_content(history, chosen, room, count)
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
def gather_near(items: ItemRows, history: I32, chosen: int, room: Room, count: int) -> int:
    """Add the neighbours of the last items."""
    near, weights, seen, scales = items.near, items.near_weight, items.seen, room.scales
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
            mass[scales + SEQUEL, column] += like * CLOSE[OLDEST + place - at]
            if via[column] < 0 or (mass[scales + NEAR, column] == 0.0 and like > share[column]):
                share[column] = like
                via[column] = matched[slot]
    return count


@kernel(inner=True)
def finish(items: ItemRows, trend: Trend, room: Room, count: int) -> None:
    """Fill in popularity, and normalise what the item's own number of choices decides."""
    mass, scales = room.mass, room.scales
    often = room.score  # scores come later: until then their room
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
