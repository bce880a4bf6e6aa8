"""Rows: what several kernels do with a row of slots of which the first `size` are in use."""

from learners.arrays import I32
from learners.kernel import kernel

MISS = -1  # nowhere


@kernel(inner=True)
def place_of(row: I32, size: int, slot: int) -> int:
    """Return where a slot stands, from 0; -1 where it does not."""
    for place in range(size):
        if row[place] == slot:
            return place
    return -1
