"""Crowds: a shop of any size in which everybody has come and every item was chosen.

Half of the choices fall on the best-selling hundredth of the items, the others on all alike, so
that an item has the same number of events behind it in a large world as in a small one.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Row
from benchmarks.streams import visit

HEAD, HEAD_SHARE = 100, 0.5  # one item of so many sells best; the share of choices it gets

I64 = NDArray[np.int64]


class Crowd(NamedTuple):
    """How many users and items there are."""

    users: int
    items: int

    def all(self, passes: int, seed: int = 1) -> Iterator[Row]:
        """Yield one event of each user in random order, so many times; all items are chosen."""
        random = np.random.default_rng(seed)
        for n in range(passes):
            user = random.permutation(self.users)
            item = random.permutation(max(self.users, self.items))[: self.users] % self.items
            if n:
                item = self._choices(random, self.users)
            yield from _rows(user, item, n * self.users, f"all-{seed}")

    def some(self, events: int, begin: int, seed: int) -> Iterator[Row]:
        """Yield events of users drawn from all, none twice before all others have come.

        A batch holds as many different users in a small world as in a large one.
        `begin` is how many events were before.
        """
        random = np.random.default_rng(seed)
        for start in range(0, events, self.users):
            user = random.permutation(self.users)[: events - start]
            items = self._choices(random, len(user))
            yield from _rows(user, items, begin + start, f"some-{seed}")

    def _choices(self, random: np.random.Generator, size: int) -> I64:
        head = random.random(size) < HEAD_SHARE
        among = np.where(head, max(self.items // HEAD, 1), self.items)
        return (random.random(size) * among).astype(np.int64)


def _rows(user: I64, item: I64, begin: int, name: str) -> Iterator[Row]:
    for k, (u, i) in enumerate(zip(user.tolist(), item.tolist(), strict=True), begin):
        yield visit(name, k, u, i)
