"""Segments get rows: the first values of each name that somebody chose something with."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contracts.segments import HOUR, LONGEST_BYTES, MOST_VALUES, hour_of, segment, text_of
from learners.arrays import F64, I32, Flags, SegmentRows

CHOSEN = 128  # items remembered per segment
UNUSABLE, BEYOND = "unusable", "beyond"


def segment_rows(contexts: int) -> SegmentRows:
    """Return rows for the segments of so many names."""
    rows = contexts * MOST_VALUES
    return SegmentRows(
        name=np.zeros((rows, LONGEST_BYTES), np.uint8),
        item=np.full((rows, CHOSEN), -1, np.int32),
        weight=np.zeros((rows, CHOSEN), np.float32),
        size=np.zeros(rows, np.int32),
        total=np.zeros(rows),
    )


class SegmentIds:
    """Which row belongs to which segment; the rows themselves know it too, so they are the state.

    >>> ids = SegmentIds(["country"], segment_rows(1))
    >>> said, times = [{"country": "de"}, {"country": ["de"]}, None], np.zeros(3)
    >>> ids.of(said, times, np.ones(3, np.bool_)).tolist(), ids.known, dict(ids.refused)
    ([[0], [-1], [-1]], ['country=de'], {('country', 'unusable'): 1})

    Args:
        names: in the context of events.
        rows: those of the world; in use are those of the segments that are known.
    """

    def __init__(self, names: Sequence[str], rows: SegmentRows) -> None:
        self.names = tuple(names)
        self.refused: Counter[tuple[str, str]] = Counter()  # by name and reason
        self._rows = rows
        self.follow()

    def follow(self) -> None:
        """Know what the rows say."""
        used = [bytes(row).rstrip(b"\0") for row in self._rows.name if row[0]]
        self.known = [name.decode("utf-8", "surrogatepass") for name in used]
        self._row: list[dict[str, int]] = [{} for _ in self.names]
        for row, whole in enumerate(self.known):
            name, _, value = whole.partition("=")
            self._row[self.names.index(name)][value] = row

    def place(self, row: int) -> int:
        """Return the place, among the names, of the one that a row's segment is of."""
        return self.names.index(self.known[row].partition("=")[0])

    def of(self, contexts: Sequence[Mapping[str, Any] | None], times: F64, chosen: Flags) -> I32:
        """Return the rows of events' segments, (events, names), -1 for none.

        New ones get a row, as long as there is one, where an event has chosen something.
        """
        if not self.names:
            return np.empty((len(times), 0), np.int32)
        said = contexts or [None] * len(times)
        told = zip(said, times.tolist(), chosen.tolist(), strict=True)
        rows = [self._of(n, *event) for event in told for n in range(len(self.names))]
        return np.array(rows, np.int32).reshape(len(times), len(self.names))

    def _of(self, n: int, said: Mapping[str, Any] | None, ts: float, chosen: bool) -> int:
        name = self.names[n]
        value = said.get(name) if said else None
        if value is None:
            if name != HOUR:
                return -1
            value = hour_of(ts)
        row = self._row[n].get(value) if type(value) is str else None
        return self._other(n, value, chosen) if row is None else row

    def _other(self, n: int, value: object, chosen: bool) -> int:
        """Return the row of a value that is no text, or is not known yet."""
        name, text, known = self.names[n], text_of(value), self._row[n]
        if text in known:
            return known[text]
        if not (whole := segment(name, value)):
            self.refused[name, UNUSABLE] += 1
        elif len(known) == MOST_VALUES:
            self.refused[name, BEYOND] += 1
        elif chosen:
            row = known[text] = len(self.known)
            self.known.append(whole)
            data = whole.encode("utf-8", "surrogatepass")
            self._rows.name[row, : len(data)] = np.frombuffer(data, np.uint8)
            return row
        return -1
