"""Sessions: who chose the same lately, and what else they chose (the kernels of `Neighbours`).

Source: Jannach and Ludewig, When Recurrent Neural Networks meet the Neighborhood for
Session-Based Recommendation, 2017 (VS-kNN); that what stands right after the common item weighs
more is from Garg et al., Sequence and Time Aware Neighborhood, 2019.
"""

import math
from hashlib import blake2b

import numpy as np

from learners.arrays import F32, I32, I64, SESSION, Flags, ItemRows, Sessions, Trend
from learners.kernel import kernel
from learners.rows import place_of

BACK = 5  # last items that lead to other sessions
FEWEST = 4  # visits looked at of an item that lies further back; the last one has them all
BEFORE = 0.3  # what was chosen before the common item weighs less than what came after
OLDEST = SESSION - 1
# What an item counts by how many places it stands behind (older than) the common one, from OLDEST
# places before it on.
CLOSE = np.array(
    [(1.0 if d <= 0 else BEFORE) / (1 + abs(d)) for d in range(-OLDEST, SESSION)], np.float32
)


def tag_of(name: str) -> int:
    """Return the hash of a user's name, the same on every machine; never 0."""
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 1) | 1


def tags(names: list[str], newcomers: Flags) -> I64:
    """Return (names,) hashes of those that are newcomers, 0 for the others."""
    found = np.zeros(len(names), np.int64)
    for k in np.flatnonzero(newcomers).tolist():
        found[k] = tag_of(names[k])
    return found


@kernel(inner=True)
def slot_of(sessions: Sessions, tag: int) -> int:
    """Return where a user's session stands."""
    return tag % len(sessions.size)


@kernel(inner=True)
def attend(items: ItemRows, sessions: Sessions, tag: int, item: int) -> None:
    """Add an item to a user's session, and the session to the item's visits."""
    slot = slot_of(sessions, tag)
    if sessions.owner[slot] != tag:
        sessions.owner[slot] = tag
        sessions.size[slot] = 0
    row, size = sessions.item[slot], sessions.size[slot]
    if place_of(row, size, item) < 0:
        ring = items.visit.shape[1]
        items.visit[item, items.visits[item] % ring] = slot
        items.visits[item] += 1
    size = min(size + 1, len(row))
    for place in range(size - 1, 0, -1):
        row[place] = row[place - 1]
    row[0] = item
    sessions.size[slot] = size


@kernel(inner=True)
def meet(
    items: ItemRows,
    trend: Trend,
    history: I32,
    chosen: int,
    own: int,
    likeness: F32,
    matched: I32,
    met: I32,
) -> int:
    """Find sessions that hold the last items; return how many, their slots in `met`.

    `likeness[slot]` sums rarity / distance of the common items; `matched[slot]` is the newest
    of them.
    """
    count = 0
    for back in range(min(chosen, BACK)):
        item = history[back]
        worth = rarity(trend, items.seen[item]) / (back + 1)
        ring, visits = items.visit.shape[1], items.visits[item]
        at = visits % ring
        for _ in range(min(visits, ring, max(ring >> back, FEWEST))):
            at = at - 1 if at > 0 else ring - 1
            slot = items.visit[item, at]
            if slot == own:
                continue
            if likeness[slot] == 0.0:
                met[count] = slot
                matched[slot] = item
                count += 1
            likeness[slot] += worth
    return count


@kernel(inner=True)
def rarity(trend: Trend, seen: float) -> float:
    """Return the logarithm of one in how many choices this item is; above 0."""
    return math.log((1.0 + trend.clock[1]) / max(seen, 1.0)) + 1e-6
