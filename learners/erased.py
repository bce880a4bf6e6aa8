"""Erased: one person leaves a model, and the sums are what they would be without that person.

What a choice added to a sum follows from its time and from the items chosen before it, so it can be
taken away again: counts to the last digit, decayed counts and pairs to the last digits of their
floats. The kept history tells the last choices; with `older` ones from the log nothing is missing.

No sums, and so not restored: what followed an item is faded by whoever comes later, so from there
at least what the person left is taken, and perhaps a little more; a neighbour that was pushed out
does not come back; the weights of the head stay as the person has moved them. Only a rebuild from
the log, with that person's events left out, gives these.

>>> from contracts.pipeline import Pipeline
>>> from learners.batches import Events
>>> from learners.recommender import Recommender, Shape
>>> model = Recommender(Shape(), Pipeline())
>>> users = model.open()
>>> _ = model.learn(users, Events.choices(["ann", "bob", "ann"], ["tea", "tea", "jam"], [1, 2, 3]))
>>> erase(model, users, "ann").choices
2
>>> model.world.items.seen[:2].tolist(), users.ids.dump()[0]
([1, 0], ['bob'])
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from learners.arrays import F32, F64, I32, ItemRows, Sessions, UserRows, World
from learners.counts import rebuild
from learners.forget import forget_items
from learners.kernel import kernel
from learners.pairs import BACKWARDS
from learners.recommender import Recommender
from learners.seen import Pages, clear
from learners.turns import shortened
from learners.users import Users

ALL = 255  # that a history holds at most
NOISE = 1e-6  # of a 32-bit sum: what is left below that share is what rounding has left


class Choice(NamedTuple):
    """What a person chose and when; `weight` is what the items learned of it, 0 while frozen.

    With `saw` of the choices right before it the item was taught to go: fewer than there are where
    a guest's past was put together with that of an account.
    """

    item: str
    ts: float
    weight: float
    saw: int = ALL


class Erased(NamedTuple):
    """What was taken away.

    `whole` is True where these were all of the person's choices, as far as capacities tell.
    """

    choices: int = 0
    seen: int = 0  # entries of what the person had chosen or refused
    pairs: int = 0  # neighbours and followers of items that became lighter, or went
    sessions: int = 0
    whole: bool = True
    dirty: I32 = np.empty(0, np.int32)  # items whose neighbours changed
    gone: tuple[str, ...] = ()  # items that nobody else has chosen


class Sums(NamedTuple):
    """What a person has added, by slots."""

    seen: Counter[int]
    weight: dict[int, F64]
    near: Counter[tuple[int, int]]
    after: Counter[tuple[int, int]]
    repeats: tuple[int, int]  # choices that were not the first, and those of an item once more


def known_choices(model: Recommender, users: Users, user: str) -> list[Choice]:
    """Return the choices that a person's history keeps, oldest first."""
    slot = users.ids.find(user)
    rows, size = users.rows, int(users.rows.chosen[slot]) if slot >= 0 else 0
    told = (rows.history, rows.when, rows.gave, rows.saw)
    columns = [column[slot, :size][::-1].tolist() for column in told]
    return [
        Choice(model.ids.names[item], ts, gave, saw)
        for item, ts, gave, saw in zip(*columns, strict=True)
    ]


def erase(
    model: Recommender,
    users: Users,
    user: str,
    older: Sequence[Choice] | None = None,
    shared_too: bool = True,
) -> Erased:
    """Take a person out of a partition's users and of what all partitions share.

    `older` are all choices from before the kept history, oldest first, None if nobody has looked.
    Without `shared_too` the items do without the person already.
    """
    slot = users.ids.find(user)
    if slot < 0:
        return Erased()
    kept, full = known_choices(model, users, user), len(users.rows.when[slot])
    whole = older is not None or len(kept) < full
    tag, met = int(users.rows.tag[slot]), int(users.rows.met[slot])
    erased = Erased(seen=met, whole=whole)
    if shared_too:
        erased = _erase_items(model, [*(older or ()), *kept], full, erased)
        erased = erased._replace(sessions=leave_session(model.world.sessions, tag))
    vacate(users.rows, users.pages, slot)
    users.ids.forget(user)
    return erased


def subtract(model: Recommender, choices: Sequence[Choice], history: int) -> I32:
    """Take choices of somebody of whom no more is known from the items; return those changed."""
    return _erase_items(model, choices, history, Erased()).dirty


def _erase_items(
    model: Recommender, choices: Sequence[Choice], history: int, erased: Erased
) -> Erased:
    sums, world = _sums(model, choices, history), model.world
    for item, n in sums.seen.items():
        _lower_counts(world.items, item, n, sums.weight[item])
    lighter = lower(world.items.near, world.items.near_weight, world.items.near_size, sums.near)
    lighter += lower(
        world.items.after, world.items.after_weight, world.items.after_size, sums.after
    )
    _lower_trend(world, sums)
    dirty = np.unique(np.array([*sums.seen, *(item for item, _ in sums.near)], np.int32))
    world.items.dirty[dirty] = True
    gone = [item for item in sums.seen if world.items.seen[item] == 0]
    _leave_no_trace(world, gone)
    rebuild(world.items, world.trend)
    names = tuple(model.ids.names[item] for item in gone)
    return erased._replace(choices=sum(sums.seen.values()), pairs=lighter, dirty=dirty, gone=names)


def _leave_no_trace(world: World, gone: Sequence[int]) -> None:
    """Let items that nobody else has chosen know and be known of nothing; their names stay."""
    if gone:
        mask = np.zeros(len(world.items.seen), np.bool_)
        mask[list(gone)] = True
        forget_items(world, mask)


def _sums(model: Recommender, choices: Sequence[Choice], history: int) -> Sums:
    """Return what choices have added, as `learners.step.learn` has added it."""
    rules, world = model.rules, model.world
    origin = world.trend.origin
    sums, slots = Sums(Counter(), {}, Counter(), Counter(), (0, 0)), list[int]()
    known = repeats = 0
    pair_life = rules.pair_half_life
    for choice in choices:
        item = model.ids.find(choice.item)
        if item < 0:
            continue  # let go since, and with it all that was known of it
        if choice.weight > 0.0:
            left = choice.weight * 2.0 ** -shortened(world.watch, choice.ts)
            gain = left * 2.0 ** ((choice.ts - origin[:-1]) / rules.half_lives)
            sums.seen[item] += 1
            sums.weight[item] = sums.weight.get(item, 0.0) + gain
            before = slots if choice.saw >= history else slots[max(0, len(slots) - choice.saw) :]
            known += bool(before)
            repeats += item in before
            added = left * 2.0 ** ((choice.ts - origin[-1]) / pair_life)
            _add_pairs(sums, before[: -history - 1 : -1], item, added)
        slots.append(item)
    return sums._replace(repeats=(known, repeats))


def _add_pairs(sums: Sums, before: Sequence[int], item: int, added: float) -> None:
    for back, other in enumerate(before, 1):
        sums.near[other, item] += added / back  # type: ignore[assignment]  # floats count as well
        if other != item:
            sums.near[item, other] += added * BACKWARDS / back  # type: ignore[assignment]
    if before:
        sums.after[before[0], item] += added  # type: ignore[assignment]


def _lower_counts(items: ItemRows, item: int, n: int, weight: F64) -> None:
    items.seen[item] = max(0, items.seen[item] - n)
    items.weight[item] = np.maximum(items.weight[item] - weight, 0.0)


def lower(other: I32, weights: F32, sizes: I32, sums: Counter[tuple[int, int]]) -> int:
    """Take sums from pairs; what nothing is left of goes. Return how many pairs are concerned."""
    found = 0
    for (item, neighbour), lost in sums.items():
        row, size = weights[item], int(sizes[item])
        places = np.flatnonzero(other[item, :size] == neighbour)
        if not len(places):
            continue  # pushed out by heavier ones
        place, found = int(places[0]), found + 1
        left = float(row[place]) - lost
        if left > NOISE * float(row[place]):
            row[place] = left
            continue
        for column in (other[item], row):
            column[place : size - 1] = column[place + 1 : size]
        sizes[item] = size - 1
    return found


def _lower_trend(world: World, sums: Sums) -> None:
    trend, n = world.trend, sum(sums.seen.values())
    if n:
        trend.total[:] = np.maximum(trend.total - sum(sums.weight.values()), 0.0)
        trend.clock[1] = max(0.0, trend.clock[1] - n)
        trend.repeats[:] = np.maximum(trend.repeats - sums.repeats, 0)


def leave_session(sessions: Sessions, tag: int) -> int:
    """Let a user's session be nobody's; return how many there were."""
    slot = tag % len(sessions.size)
    if sessions.owner[slot] != tag:
        return 0
    sessions.item[slot], sessions.size[slot], sessions.owner[slot] = -1, 0, 0
    return 1


@kernel
def vacate(users: UserRows, pages: Pages, user: int) -> None:
    """Make a user's row one of nobody."""
    clear(users, pages, user)
    users.history[user, :] = -1
    users.when[user, :] = 0.0
    users.gave[user, :] = 0.0
    users.saw[user, :] = 0
    users.listed[user, :] = -1
    users.chosen[user] = users.length[user] = 0
    users.made[user] = 0.0
    users.version[user] = users.tag[user] = 0
    users.rekeyed[user] = False
