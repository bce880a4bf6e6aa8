"""Render: lists of slots become the JSON that readers get, a batch in one kernel call.

Building twenty small dicts per list and encoding them costs more than learning and ranking
together. Here the ids lie in one byte array, already quoted and escaped as JSON, and a kernel
copies them between constant pieces of text.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Slots = NDArray[np.int32]
Sizes = NDArray[np.integer[Any]]
Scores = NDArray[np.floating[Any]]

kernel = njit(cache=True, nogil=True, error_model="numpy")


def _text(text: str) -> Bytes:
    return np.frombuffer(text.encode(), np.uint8)


ITEM = _text('{"item":')
SCORE = _text(',"score":')
BECAUSE = _text(',"because":"')
EXPLORED = _text(',"explored":')
END = _text("}")
# By number, as the learners give them: the text before the user's item and the text after it.
REASONS = (
    ("popular now", ""),
    ("you chose it lately", ""),
    ("with ", " that you chose"),
    ("follows ", " that you chose last"),
    ("others who chose ", " chose it, too"),
    ("pinned here", ""),
    ("like ", " that you chose"),
)
WORDS = _text("".join(before + after for before, after in REASONS))
ENDS = np.cumsum([len(text) for reason in REASONS for text in reason])
NAMED = np.array([after != "" for _, after in REASONS])
ROOM = 160  # bytes that an entry takes at most, besides the ids in it
FIRST_BYTES = 1 << 16


class Ids(NamedTuple):
    """JSON strings of ids: slot s is `pool[start[s] : start[s] + size[s]]`, quotes included."""

    pool: Bytes
    start: NDArray[np.int64]
    size: NDArray[np.int32]


class Names:
    """The ids of items as JSON, by slot; follows a list of names that grows and changes."""

    def __init__(self) -> None:
        self._used = 0
        self._space = np.empty(0, np.uint8)
        self.ids = Ids(
            np.empty(FIRST_BYTES, np.uint8), np.zeros(1024, np.int64), np.zeros(1024, np.int32)
        )

    def space(self, size: int) -> Bytes:
        """Return so many bytes to write in: kept, for fresh memory costs a fault per page."""
        if size > len(self._space):
            self._space = np.empty(2 * size, np.uint8)
        return self._space

    def put(self, slots: Sequence[int], names: Sequence[str]) -> None:
        """Note that these slots now have `names[slot]`."""
        pieces = [msgspec.json.encode(names[slot]) for slot in slots]
        if not pieces:
            return
        self._make_room(sum(map(len, pieces)), len(names))
        for slot, piece in zip(slots, pieces, strict=True):
            end = self._used + len(piece)
            self.ids.pool[self._used : end] = np.frombuffer(piece, np.uint8)
            self.ids.start[slot], self.ids.size[slot] = self._used, len(piece)
            self._used = end

    def _make_room(self, more: int, slots: int) -> None:
        ids = self.ids
        if slots > len(ids.size):
            more_rows = np.zeros(max(slots, 2 * len(ids.size)) - len(ids.size), np.int32)
            start = np.concatenate([ids.start, more_rows.astype(np.int64)])
            self.ids = ids = Ids(ids.pool, start, np.concatenate([ids.size, more_rows]))
        if self._used + more <= len(ids.pool):
            return
        # Renamed slots leave their old bytes behind: move what is still in use to a new pool.
        live = int(ids.size.sum())
        pool = np.empty(max(FIRST_BYTES, 2 * (live + more)), np.uint8)
        self._used = int(_compact(ids, pool))
        self.ids = Ids(pool, ids.start, ids.size)


class Ranked(NamedTuple):
    """Lists as arrays: (lists, depth) entries, best first, of which `lengths` are in use."""

    items: Slots
    scores: Scores  # finite, not negative
    lengths: Sizes  # (lists,)
    why: Slots | None = None  # number of a reason in REASONS; None to say nothing about reasons
    via: Slots | None = None  # the user's own item that the reason names, -1 for none
    odds: Scores | None = None  # the chance with which it was drawn for its place, 0 where ranked


def entries(names: Names, ranked: Ranked) -> list[bytes]:
    """Return the JSON array of each list's entries; `names` has the ids by slot."""
    items, scores, lengths = ranked.items, ranked.scores, ranked.lengths
    reasons = ranked.why is not None
    why = items if ranked.why is None else ranked.why
    via = items if ranked.via is None else ranked.via
    room = _room(names.ids, items, via, lengths)
    out = names.space(room)
    ends = np.empty(len(lengths), np.int64)
    odds = np.zeros_like(scores) if ranked.odds is None else ranked.odds
    _render(names.ids, Table(items, scores, lengths, why, via, odds), reasons, out, ends)
    whole = out[: ends[-1]].tobytes() if len(ends) else b""
    starts = [0, *ends.tolist()]
    return [whole[a:b] for a, b in itertools.pairwise(starts)]


class Table(NamedTuple):
    """`Ranked` as the kernel takes it: nothing is None."""

    items: Slots
    scores: Scores
    lengths: Sizes
    why: Slots
    via: Slots
    odds: Scores


@kernel
def _compact(ids: Ids, pool: Bytes) -> int:
    """Copy the bytes in use to another pool; return how many there are."""
    used = 0
    for slot in range(len(ids.size)):
        start = ids.start[slot]
        for k in range(ids.size[slot]):
            pool[used + k] = ids.pool[start + k]
        ids.start[slot] = used
        used += ids.size[slot]
    return used


@kernel
def _room(ids: Ids, items: Slots, via: Slots, lengths: Sizes) -> int:
    """Return how many bytes the rows take at most."""
    room = 2 * len(lengths)
    for row in range(len(lengths)):
        for k in range(lengths[row]):
            room += ROOM + ids.size[items[row, k]]
            if via[row, k] >= 0:
                room += ids.size[via[row, k]]
    return room


@kernel
def _render(ids: Ids, table: Table, reasons: bool, out: Bytes, ends: NDArray[np.int64]) -> None:
    """Write every row as a JSON array."""
    items, scores, lengths = table.items, table.scores, table.lengths
    at = 0
    for row in range(len(lengths)):
        out[at] = 91  # [
        at += 1
        for k in range(lengths[row]):
            item = items[row, k]
            if k > 0:
                out[at] = 44  # ,
                at += 1
            at = _copy(out, at, ITEM, 0, len(ITEM))
            at = _copy(out, at, ids.pool, ids.start[item], ids.size[item])
            at = _copy(out, at, SCORE, 0, len(SCORE))
            at = _number(out, at, scores[row, k])
            if reasons:
                at = _reason(ids, table.why[row, k], table.via[row, k], out, at)
            if table.odds[row, k] > 0.0:
                at = _copy(out, at, EXPLORED, 0, len(EXPLORED))
                at = _number(out, at, table.odds[row, k])
            at = _copy(out, at, END, 0, len(END))
        out[at] = 93  # ]
        at += 1
        ends[row] = at


@kernel
def _reason(ids: Ids, why: int, own: int, out: Bytes, at: int) -> int:
    """Write why an item stands on a list; `own` is the user's item that the reason names."""
    before, after = ENDS[2 * why], ENDS[2 * why + 1]
    start = ENDS[2 * why - 1] if why > 0 else 0
    at = _copy(out, at, BECAUSE, 0, len(BECAUSE))
    at = _copy(out, at, WORDS, start, before - start)
    if NAMED[why]:
        at = _copy(out, at, ids.pool, ids.start[own] + 1, ids.size[own] - 2)
        at = _copy(out, at, WORDS, before, after - before)
    out[at] = 34  # "
    return at + 1


@kernel
def _copy(out: Bytes, at: int, piece: Bytes, start: int, size: int) -> int:
    for k in range(size):
        out[at + k] = piece[start + k]
    return at + size


@kernel
def _number(out: Bytes, at: int, value: float) -> int:
    """Write a number with six decimals; more than readers need, and no exponent."""
    millionths = int(min(max(float(value), 0.0), 1e9) * 1e6 + 0.5)
    whole, rest = millionths // 1_000_000, millionths % 1_000_000
    size = 1
    limit = 10
    while whole >= limit:
        limit *= 10
        size += 1
    for k in range(size):
        out[at + size - 1 - k] = 48 + whole % 10
        whole //= 10
    at += size
    out[at] = 46
    for k in range(6):
        out[at + 6 - k] = 48 + rest % 10
        rest //= 10
    return at + 7
