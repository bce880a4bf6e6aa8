"""Moved: what is known of one person becomes part of what is known of another.

A guest who logs in has a past of their own: what they chose, what they have seen, their session. It
is taken out under one name and put in under the other, on this worker or, as names, on another one.
Items have learned of it where it happened, and learn nothing here.

Two pasts are put one behind the other, the one that ends later in front: what was chosen right
after what stays true, and each choice keeps how many of those before it the items were taught to
go with. So whoever is forgotten later is subtracted as they were taught.

>>> from contracts.pipeline import Pipeline
>>> from learners.batches import Events
>>> from learners.erased import known_choices
>>> from learners.recommender import Recommender, Shape
>>> model = Recommender(Shape(), Pipeline())
>>> users = model.open()
>>> _ = model.learn(users, Events.choices(["ann", "guest"], ["tea", "jam"], [1, 2]))
>>> _ = arrive(model, users, "ann", depart(model, users, "guest"))
>>> [(choice.item, choice.saw) for choice in known_choices(model, users, "ann")]
[('tea', 0), ('jam', 0)]
>>> "guest" in users.ids, model.world.items.seen[:2].tolist()
(False, [1, 1])
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learners import seen
from learners.arrays import I32, Flags, ItemRows, Sessions, UserRows
from learners.erased import Choice, known_choices, leave_session, vacate
from learners.kernel import kernel
from learners.recommender import Recommender
from learners.seen import Pages, note
from learners.sessions import attend, tag_of
from learners.users import Users


class Past(NamedTuple):
    """What is known of a person, oldest first; with `seen` True of what may not return."""

    choices: Sequence[Choice]
    seen: Sequence[tuple[str, bool]]


class _Row(NamedTuple):
    """One entry of a history as it stands there, newest first."""

    item: int
    when: float
    gave: float
    saw: int


def depart(model: Recommender, users: Users, user: str, shared_too: bool = True) -> Past:
    """Take a person out who is known, and return what was known.

    Without `shared_too` what all partitions share does without the session already.
    """
    slot = users.ids.find(user)
    past = Past(known_choices(model, users, user), _seen(model, users, slot))
    if shared_too:
        leave_session(model.world.sessions, int(users.rows.tag[slot]))
    vacate(users.rows, users.pages, slot)
    users.ids.forget(user)
    return past


def _seen(model: Recommender, users: Users, slot: int) -> list[tuple[str, bool]]:
    names, page = model.ids.names, int(users.rows.page[slot])
    told = seen.entries(users.pages, page).tolist()
    return [(names[entry if entry >= 0 else ~entry], entry < 0) for entry in told]


def arrive(model: Recommender, users: Users, user: str, past: Past, shared_too: bool = True) -> int:
    """Put a past to what is known of a person, who may be new; return the person's slot."""
    model.name([choice.item for choice in past.choices] + [item for item, _ in past.seen])
    slot = _admitted(users, user, len(past.seen))
    brought, own = _brought(model, past.choices), _own(users.rows, slot)
    _write(users.rows, slot, _joined(brought, own))
    met = [(model.ids.find(item), barred) for item, barred in past.seen]
    there = [(item, barred) for item, barred in met if item >= 0]
    items = np.array([item for item, _ in there], np.int32)
    barred = np.array([barred for _, barred in there], np.bool_)
    note_all(users.rows, users.pages, slot, items, barred, model.rules.pages)
    if shared_too and model.rules.use.neighbours:
        sat = [row.item for row in reversed(brought) if row.gave > 0.0]
        tag = int(users.rows.tag[slot])
        sit(model.world.items, model.world.sessions, tag, np.array(sat, np.int32))
    return slot


def _admitted(users: Users, user: str, entries: int) -> int:
    """Return a person's slot, with room for so many entries of what was seen."""
    (slot,), (newcomer,) = users.ids.map_in_turn([user])
    users.make_room(entries)
    if newcomer:
        vacate(users.rows, users.pages, slot)
        users.rows.tag[slot] = tag_of(user)
    return int(slot)


def _own(rows: UserRows, slot: int) -> list[_Row]:
    size = int(rows.chosen[slot])
    columns = (rows.history, rows.when, rows.gave, rows.saw)
    return [_Row(*told) for told in zip(*(c[slot, :size].tolist() for c in columns), strict=True)]


def _brought(model: Recommender, choices: Sequence[Choice]) -> list[_Row]:
    """Return choices as rows; without those whose item has no slot, as if it had been let go."""
    slots = [model.ids.find(choice.item) for choice in choices]
    rows = list[_Row]()
    for at, (slot, choice) in enumerate(zip(slots, choices, strict=True)):
        gone = slots[max(0, at - choice.saw) : at].count(-1)
        if slot >= 0:
            rows.append(_Row(slot, choice.ts, choice.weight, choice.saw - gone))
    return rows[::-1]


def _joined(one: list[_Row], other: list[_Row]) -> list[_Row]:
    """Return both, the one that ends later in front; it has learned nothing of the one behind."""
    front, back = sorted((one, other), key=_end, reverse=True)
    if not back:
        return front
    return [r._replace(saw=min(r.saw, len(front) - 1 - at)) for at, r in enumerate(front)] + back


def _end(rows: list[_Row]) -> float:
    return rows[0].when if rows else -np.inf


def _write(rows: UserRows, slot: int, told: list[_Row]) -> None:
    kept = told[: rows.history.shape[1]]
    rows.history[slot, :], rows.chosen[slot] = -1, len(kept)
    columns: tuple[NDArray[Any], ...] = (rows.history, rows.when, rows.gave, rows.saw)
    for column, values in zip(columns, zip(*kept, strict=True), strict=False):
        column[slot, : len(kept)] = values


@kernel
def note_all(
    users: UserRows, pages: Pages, user: int, items: I32, barred: Flags, most: int
) -> None:
    """Write items on a user's pages."""
    for k in range(len(items)):
        note(users, pages, user, items[k], barred[k], most)


@kernel
def sit(items: ItemRows, sessions: Sessions, tag: int, chosen: I32) -> None:
    """Add items to a user's session, in order."""
    for k in range(len(chosen)):
        attend(items, sessions, tag, chosen[k])
