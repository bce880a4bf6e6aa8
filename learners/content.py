"""Content: items that few have chosen and that have attributes in common with the last ones.

A feature in common counts the square of its logarithmic rarity among all items (tf-idf of both
sides, Salton and Buckley 1988), less for an item further back. What is known by who chose it is
found by the other generators: this one only adds what they cannot find yet.
"""

import math

import numpy as np

from learners.arrays import I32
from learners.attributes import KEPT
from learners.kernel import kernel
from learners.room import CONTENT, LAST_CONTENT, Room, column_of, standing
from learners.shelves import Content

LOOKED_AT = 3  # last items
# Candidates that nobody else has put up: each is described and scored with every event. With 64
# HR@10 on movietweetings-100k was .2505, on films with few ratings .0164; with 24 .2509 and .0156.
MOST_NEW = 24


@kernel(inner=True)
def gather_content(history: I32, chosen: int, room: Room, count: int) -> int:
    """Add what stands on the shelves of the last items' features."""
    content, begun = room.content, count
    mass, last = room.mass[room.scales + CONTENT], room.mass[room.scales + LAST_CONTENT]
    for back in range(min(chosen, LOOKED_AT)):
        own = content.feature[history[back]]
        for k in range(KEPT):
            if own[k] < 0:
                break
            part = np.float32(rarity(content, own[k]) / (back + 1.0) ** 2)
            for place in range(content.size[own[k]]):
                item = content.shelf[own[k], place]
                if count - begun >= MOST_NEW and standing(room, item) < 0:
                    continue
                column = column_of(room, item, count)
                if column < 0:
                    continue
                count = max(count, column + 1)
                mass[column] += part
                if back == 0:
                    last[column] += part
                if room.via[column] < 0:
                    room.via[column] = history[back]
    return count


@kernel(inner=True)
def rarity(content: Content, feature: int) -> float:
    """Return what a feature in common says: nothing if all items have it."""
    rare = math.log2((1.0 + content.told[0]) / max(content.often[feature], 1))
    return rare * rare
