"""Shown: what somebody gets of whom nothing is known but a segment."""

from learners.given import Lists
from learners.recommender import Recommender


def shown(model: Recommender, row: int) -> Lists:
    """Return what a stranger is shown now whose segment has this row: one list."""
    segment = model.room.segment
    segment[model.segments.place(row)] = row
    lists = model.trending()
    segment[:] = -1
    return lists
