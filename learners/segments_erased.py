"""A person leaves the segments: what each choice added there follows from its time and its context.

Histories keep no contexts, so it is the log that tells them. Sums are then those of a world without
the person; an item that was pushed out of a segment does not come back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from learners.erased import Choice, lower
from learners.recommender import Recommender
from learners.turns import shortened


def leave_segments(
    model: Recommender, choices: Sequence[Choice], contexts: Sequence[Mapping[str, Any] | None]
) -> None:
    """Take choices, each with its context, from what segments have learned."""
    segments, rules = model.world.segments, model.rules
    origin, half_life = model.world.trend.origin[rules.baseline], rules.half_lives[rules.baseline]
    times, nothing_new = np.array([c.ts for c in choices]), np.zeros(len(choices), np.bool_)
    rows = model.segments.of(contexts, times, nothing_new)
    sums: Counter[tuple[int, int]] = Counter()
    for choice, of in zip(choices, rows, strict=True):
        left = choice.weight * 2.0 ** -shortened(model.world.watch, choice.ts)
        added = left * 2.0 ** ((choice.ts - origin) / half_life)
        for row in of[of >= 0].tolist():
            sums[row, model.ids.find(choice.item)] += added
            segments.total[row] = max(segments.total[row] - added, 0.0)
    lower(segments.item, segments.weight, segments.size, sums)
