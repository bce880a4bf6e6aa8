"""Compares two dumps of `learners.frozen` by what they say, not by where it stands.

Items have other slots in every state, so they are compared by their names. What lists somebody
was given, and when, is told apart from what was learned: lists are also ranked in idle time.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from learners import frozen, seen
from learners.arrays import F64, I32

Parts = Mapping[str, bytes]
NEAR = 1e-6  # as far as sums of decayed counts may differ by the order of adding
PUBLISHED = "items.dirty"  # what waits to be published
NEWCOMERS = "newcomers"  # who was lent a slot; then the head has learned by what `items` said, too
BESIDE = ("head.", NEWCOMERS, "tried.")


class Users(NamedTuple):
    """A dump of a partition's users with items as numbers that both sides agree on."""

    known: tuple[bytes, ...]
    learned: tuple[NDArray[Any], ...]
    lists: tuple[NDArray[Any], ...]


def users(one: Parts, other: Parts) -> tuple[bool, bool]:
    """Return whether what was learned of users is the same, and whether their lists are."""
    numbers: dict[str, int] = {}
    a, b = _users(one, numbers), _users(other, numbers)
    return a.known == b.known and _alike(a.learned, b.learned), _alike(a.lists, b.lists)


def items(one: Parts, other: Parts) -> list[str]:
    """Return the parts of two dumps of items that differ in a byte.

    What was said of items came from another log, and at which event no log tells: where that
    counts, what follows from it is left out.
    """
    names = (set(one) | set(other)) - {PUBLISHED}
    if NEWCOMERS in names:
        names = {name for name in names if not name.startswith(BESIDE)}
    return sorted(name for name in names if one.get(name) != other.get(name))


def evicted(parts: Parts) -> int:
    """Return how many items a dump has let go."""
    return int(msgspec.msgpack.decode(parts["ids"])[2])


def turned(parts: Parts) -> bool:
    """Return whether memory was shortened in a dump."""
    turns = parts.get("watch.turns")  # None in what was saved before anybody looked for turns
    return turns is not None and bool(np.isfinite(frozen.array(turns)).any())


def counts(one: Parts, other: Parts, half_lives: F64) -> tuple[bool, bool]:
    """Return whether items were chosen as often, and whether decayed counts are nearly the same."""
    (slots_a, names_a), (slots_b, names_b) = _order(one), _order(other)
    if names_a != names_b:
        return False, False
    a, b = frozen.array(one["items.seen"])[slots_a], frozen.array(other["items.seen"])[slots_b]
    weight = frozen.array(one["items.weight"])[slots_a]
    origin = frozen.array(one["trend.origin"])[:-1] - frozen.array(other["trend.origin"])[:-1]
    moved = weight * 2.0 ** (np.nan_to_num(origin) / half_lives)
    near = np.allclose(moved, frozen.array(other["items.weight"])[slots_b], NEAR, 0.0)
    return bool((a == b).all()), bool(near)


def segments(one: Parts, other: Parts, half_life: float, scale: int) -> bool:
    """Return whether the same segments are known and have chosen nearly as much.

    Their weights are decayed by the half-life that has this place in the `scale` of all.
    """
    if not {"segments.name", "segments.total"} <= one.keys() & other.keys():
        return "segments.name" not in one.keys() | other.keys()
    origins = [frozen.array(parts["trend.origin"])[scale] for parts in (one, other)]
    moved = 2.0 ** (np.nan_to_num(origins[0] - origins[1]) / half_life)
    a, b = _totals(one, moved), _totals(other, 1.0)
    there = [b.get(name, np.nan) for name in a]
    return a.keys() == b.keys() and np.allclose(list(a.values()), there, NEAR, 0.0)


def _totals(parts: Parts, factor: float) -> dict[bytes, float]:
    names, total = frozen.array(parts["segments.name"]), frozen.array(parts["segments.total"])
    return dict(zip(map(bytes, names), (total * factor).tolist(), strict=True))


def _order(parts: Parts) -> tuple[list[int], list[str]]:
    names, slots, *_ = msgspec.msgpack.decode(parts["ids"])
    order = sorted(range(len(names)), key=names.__getitem__)
    return [slots[n] for n in order], [names[n] for n in order]


def _users(parts: Parts, numbers: dict[str, int]) -> Users:
    now = _numbered(parts["items"], numbers)
    parts = frozen.with_all_columns(parts)
    row = {name[6:]: frozen.array(data) for name, data in parts.items() if name[:6] == "users."}
    older = row["chosen"][:, None] - 1 - np.arange(row["when"].shape[1])
    inside = older >= 0
    saw = np.minimum(row["saw"], np.maximum(older, 0))
    entry = seen.renamed(frozen.array(parts["pages"]), now)
    return Users(
        (parts["ids"],),
        (
            now[row["history"]], np.where(inside, row["when"], 0.0), saw,
            row["chosen"], row["tag"], row["met"], row["page"], row["rekeyed"], entry,
        ),
        (now[row["listed"]], row["length"], row["made"], row["version"]),
    )  # fmt: skip


def _numbered(items: bytes, numbers: dict[str, int]) -> I32:
    """Return a number for each slot, and at the end -1 for nobody."""
    slots, names = msgspec.msgpack.decode(items, type=tuple[list[int], list[str]])
    now = np.full(max(slots, default=-1) + 2, -1, np.int32)
    now[slots] = [numbers.setdefault(name, len(numbers)) for name in names]
    return now


def _alike(one: tuple[NDArray[Any], ...], other: tuple[NDArray[Any], ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
