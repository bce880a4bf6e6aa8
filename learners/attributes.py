"""Attributes: what is said of items, as a few numbers each; no catalogue is kept beside them.

A feature is the hash of `name=value`; a value that is a list has one for each of its values, a
number one for its size (twice per octave), a text of several words one for each word. Features are
the same in every process.
"""

import math
import re
from collections.abc import Mapping
from zlib import crc32

import numpy as np

from learners.arrays import I32, room_for

FEATURES = 1 << 18  # hashes; of 100,000 features in use one in three shares its number
KEPT = 12  # features of an item: whole values first, then words
LONGEST = 1_000  # characters of a text that are looked at
SHORTEST = 3  # letters of a word that says something
FIRST_ROWS = 16
WORD = re.compile(r"\w+")


def features_of(attributes: Mapping[str, object], features: int = FEATURES) -> list[int]:
    """Return at most KEPT features, of attributes in the order of their names.

    >>> features_of({"room": "hall"}) == features_of({"room": ["hall"], "note": None, "x": {}})
    True
    >>> len(features_of({"title": "The tall lamp", "price": 30}))
    5
    """
    whole, words = list[str](), list[str]()
    for name in sorted(attributes):
        value = attributes[name]
        for one in value[:KEPT] if isinstance(value, list) else (value,):
            if isinstance(one, str):
                text = one[:LONGEST].lower()
                whole.append(f"{name}={text}")
                words += [f"{name}:{word}" for word in _words(text)]
            elif isinstance(one, bool):
                whole.append(f"{name}={one}")
            elif isinstance(one, int | float):
                whole.append(f"{name}={_size(one)}")
    hashed = dict.fromkeys(
        crc32(text.encode("utf-8", "surrogatepass")) % features for text in whole + words
    )
    return list(hashed)[:KEPT]


def _size(value: float) -> str:
    """Return numbers of about the same size as the same text: an integer may be beyond floats."""
    if value == 0 or value != value:
        return "0"
    size = math.log2(abs(value)) if abs(value) != math.inf else math.inf
    return f"{'-' * (value < 0)}{size if math.isinf(size) else round(2 * size)}"


def _words(text: str) -> list[str]:
    words = WORD.findall(text)
    return [word for word in words if len(word) >= SHORTEST] if len(words) > 1 else []


class Described:
    """The features of every item that was told of, the one that was told of first in front.

    >>> known = Described()
    >>> known.tell("lamp", {"room": "hall"})
    >>> known.of("lamp").tolist()[:2] == [*features_of({"room": "hall"}), -1]
    True
    >>> known.news(), known.news()
    (['lamp'], [])
    """

    def __init__(self, features: int = FEATURES) -> None:
        """A feature is a number below `features`."""
        self.rows: dict[str, int] = {}
        self.often = np.zeros(features, np.int32)  # items that have each feature
        self._table = np.full((FIRST_ROWS, KEPT), -1, np.int32)
        self._free: list[int] = []
        self._news: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def tell(self, name: str, attributes: Mapping[str, object]) -> None:
        """Know an item by these attributes, and by nothing that was told before."""
        found = features_of(attributes, len(self.often))
        row = self.rows.get(name, -1)
        before = [f for f in self._table[row].tolist() if f >= 0] if row >= 0 else []
        if found == before:
            return
        often = self.often.data  # a third of the time that an array takes for one number
        for feature in before:
            often[feature] -= 1
        for feature in found:
            often[feature] += 1
        self._news[name] = None
        if found:
            row = self._row(name)
            self._table[row] = found + [-1] * (KEPT - len(found))
        else:
            self._free.append(self.rows.pop(name))

    def of(self, name: str) -> I32:
        """Return the features of an item, (KEPT,), all -1 for one that nothing is known of."""
        row: I32 = self._table[self.rows[name]] if name in self.rows else NONE
        return row

    @property
    def changed(self) -> bool:
        """Whether there are any news."""
        return bool(self._news)

    def news(self) -> list[str]:
        """Return the items whose features have changed since the last call, first told first."""
        news, self._news = self._news, {}
        return list(news)

    def _row(self, name: str) -> int:
        row = self.rows.get(name)
        if row is None:
            row = self._free.pop() if self._free else len(self.rows)
            self.rows[name] = row
            self._table = _long_enough(self._table, row + 1)
        return row


NONE = np.full(KEPT, -1, np.int32)


def _long_enough(table: I32, rows: int) -> I32:
    more = room_for(len(table), rows) - len(table)
    return np.concatenate([table, np.full((more, KEPT), -1, np.int32)]) if more else table
