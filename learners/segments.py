"""Segments: what people choose who come from the same country, with the same device, or so.

Of somebody without a history nothing is known but where they come from. So each value of a context
has a row of its own, of what is chosen there and how much of late, like an item has its neighbours:
the lightest makes room. For strangers such a row is one more view of the candidates, and the head
learns how far to go by it. Weights are forward-decayed from the origin of the baseline of
popularity, so what shortens the memory of that shortens theirs.
"""

from learners.arrays import I32, SegmentRows, World
from learners.counts import gain
from learners.kernel import kernel
from learners.pairs import bring_near, scale_down
from learners.room import Room, column_of
from learners.rules import Rules


@kernel(inner=True)
def choose_within(
    world: World, rules: Rules, at: I32, item: int, ts: float, weight: float, before: float
) -> None:
    """Count one choice in each segment of who made it; `before` it popularity had that origin."""
    if len(at) == 0:
        return
    segments, half_life = world.segments, rules.half_lives[rules.baseline]
    origin = world.trend.origin[rules.baseline]
    if origin > before:  # at the first choice it was NaN, and there is nothing to move
        move_origin(segments, 2.0 ** ((before - origin) / half_life))
    added = weight * gain(origin, ts, half_life)
    for n in range(len(at)):
        row = at[n]
        if row >= 0:
            segments.total[row] += added
            bring_near(segments.item, segments.weight, segments.size, row, item, added)


@kernel(inner=True)
def move_origin(segments: SegmentRows, factor: float) -> None:
    """Scale all weights, as those of popularity were."""
    scale_down(segments.weight, factor)
    for row in range(len(segments.total)):
        segments.total[row] *= factor


@kernel(inner=True)
def several(at: I32) -> bool:
    """Return whether more than one segment is known."""
    known = 0
    for n in range(len(at)):
        known += at[n] >= 0
    return known > 1


@kernel(inner=True)
def gather_segments(segments: SegmentRows, room: Room, count: int) -> int:
    """Add what is chosen in the segments of a stranger; return how many candidates there are.

    Their views are the last ones; where there are foreign rankers, there are none.
    """
    first = len(room.mass) - len(room.segment)
    for n in range(len(room.segment)):
        row, view = room.segment[n], first + n
        if row < 0:
            continue
        for place in range(segments.size[row]):
            column = column_of(room, segments.item[row, place], count)
            if column >= 0:
                room.mass[view, column] = segments.weight[row, place]
                count = max(count, column + 1)
        if room.narrow[0]:
            break
    return count
