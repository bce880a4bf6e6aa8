"""Choice: what is known of items and wanted by scenarios, and room to choose a list in."""

from typing import NamedTuple

import numpy as np

from learners.arrays import F32, I32, TRENDING, Flags
from learners.kernel import kernel
from learners.room import MOST
from learners.wishes import WIDE, Wishes

NOTHING = np.float32(-np.inf)  # what stands for no candidate, or one that must not be taken


class Choice(NamedTuple):
    """Rows are scenarios, then pins; candidates are those of one pass."""

    wishes: Wishes
    kind: I32  # (items,) items of one kind fit the same rules
    factor: F32  # (rows, kinds) what a chance is multiplied by, 0 where it does not fit
    value: I32  # (attributes, kinds) which value of an attribute items have, -1 for none
    popular: I32  # (rows, TRENDING) what fits and is chosen most, -1 for none
    column: I32  # (most,) of which kind a candidate is, -1 for what is hidden
    seen: Flags  # (most,) whether the user has seen it
    order: F32  # (most,) what the candidates are ordered by
    left: F32  # (most,) the same of those that may still be taken
    taken: I32  # (depth,) candidates taken, those that are pinned first
    place: I32  # (depth,) where those that are pinned are to stand
    pinned: Flags  # (depth,) whether what stands at a place is pinned
    pool: I32  # (WIDE · depth,) candidates among which variety is looked for, best first
    like: F32  # (most,) how like a candidate is to one that was taken, 0 to 1
    mine: I32  # (most,) which of the user's own values it has; how many there are, for none
    own: I32  # (history,) the values of the user's own items
    part: F32  # (history,) how many of them have each, as a part of 1
    met: I32  # (history + 1,) how many that were taken have each
    distance: F32  # (history + 1,) from the user's mix, if the next one that is taken has it


def choice_of(wishes: Wishes, history: int) -> Choice:
    """Return a choice that knows of no kind but 0; users' histories have at most so many items."""
    rows, depth = len(wishes.owner), int(wishes.length.max(initial=0))
    most = MOST + rows * TRENDING
    return Choice(
        wishes=wishes,
        kind=np.zeros(0, np.int32),
        factor=np.zeros((rows, 1), np.float32),
        value=np.full((wishes.cap.shape[1], 1), -1, np.int32),
        popular=np.full((rows, TRENDING), -1, np.int32),
        column=np.empty(most, np.int32),
        seen=np.empty(most, np.bool_),
        order=np.empty(most, np.float32),
        left=np.empty(most, np.float32),
        taken=np.empty(depth, np.int32),
        place=np.empty(depth, np.int32),
        pinned=np.empty(depth, np.bool_),
        pool=np.empty(WIDE * depth, np.int32),
        like=np.empty(most, np.float32),
        mine=np.empty(most, np.int32),
        own=np.empty(history, np.int32),
        part=np.empty(history, np.float32),
        met=np.empty(history + 1, np.int32),
        distance=np.empty(history + 1, np.float32),
    )


@kernel(inner=True)
def factor_of(choice: Choice, row: int, k: int) -> np.float32:
    """Return what the chance of a candidate is multiplied by, 0 for what must not be listed."""
    kind = choice.column[k]
    if kind < 0 or (choice.seen[k] and choice.wishes.unseen[row]):
        return np.float32(0.0)
    return choice.factor[row, kind]


@kernel(inner=True)
def allowed(choice: Choice, scenario: int, k: int, length: int) -> bool:
    """Return whether the caps allow one more candidate of these values beside those taken."""
    cap = choice.wishes.cap
    for n in range(cap.shape[1]):
        value, same = choice.value[n, choice.column[k]], 0
        if cap[scenario, n] > 0 and value >= 0:
            for place in range(length):
                same += choice.value[n, choice.column[choice.taken[place]]] == value
            if same >= cap[scenario, n]:
                return False
    return True
