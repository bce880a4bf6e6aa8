"""Reserve: what is popular in a group comes up where a user has too few candidates of it."""

import numpy as np

from learners.arrays import ItemRows
from learners.floors import is_member, wanted
from learners.kernel import kernel
from learners.room import Room, column_of, standing

LAST = np.float32(-1e30)  # stands behind every candidate


@kernel(inner=True)
def bring_up(items: ItemRows, room: Room, count: int, length: int) -> int:
    """Add what floors of a list of this length may need to the candidates; return how many are.

    It comes behind all others, so it takes no place but one that a floor asks for.
    """
    asked = room.floors
    for floor in range(len(asked.share)):
        missing = wanted(asked, floor, length) - available(room, floor, count)
        for item in asked.reserve[floor]:
            if missing <= 0:
                break
            # Who was let go since it was looked for is nobody.
            if item < 0 or items.seen[item] == 0 or not may_come(room, floor, item):
                continue
            if column_of(room, item, count) == count:
                room.score[count], room.chance[count] = LAST, 0.0
                count += 1
                missing -= 1
    return count


@kernel(inner=True)
def available(room: Room, floor: int, count: int) -> int:
    """Return how many candidates of a floor's group may be listed."""
    found = 0
    for k in range(count):
        shown = room.score[k] > -np.inf and not room.hidden[room.item[k]]
        found += shown and is_member(room.floors, floor, room.item[k])
    return found


@kernel(inner=True)
def may_come(room: Room, floor: int, item: int) -> bool:
    """Return whether an item is of a floor's group still, may be shown and is no candidate."""
    if room.hidden[item] or not is_member(room.floors, floor, item):
        return False
    return standing(room, item) < 0
