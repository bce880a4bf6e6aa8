"""Numbered: a long row of what comes again and again, as an array that is at hand at once."""

from array import array
from typing import Generic, TypeVar

import numpy as np

from learners.arrays import I32

T = TypeVar("T")


class Numbers(Generic[T]):
    """Numbers for what comes again and again, one after the other; None is -1.

    >>> numbers = Numbers[str]()
    >>> for value in ("tea", "jam", None, "tea"):
    ...     numbers.add(value)
    >>> numbers.as_array().tolist()
    [0, 1, -1, 0]
    """

    def __init__(self) -> None:
        self.known: dict[T, int] = {}
        self.of = array("i")

    def add(self, value: T | None) -> None:
        """Note what came next."""
        self.of.append(-1 if value is None else self.known.setdefault(value, len(self.known)))

    def as_array(self) -> I32:
        """Return the numbers of all that came, in order."""
        return np.array(self.of, np.int32)
