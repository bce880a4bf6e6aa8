"""Who comes to the simulated shop as a guest, and logs in when they have chosen some items."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

SHARE = 0.01  # of choices by known people begin what they do as guests
LONG = 3  # items that a guest chooses


class Guests:
    """Makes guests of people for a while, and knows afterwards who they were.

    >>> guests = Guests(seed=1, share=1.0)
    >>> rows = [{"user": "ann"}] * LONG
    >>> [row["user"] for row in guests.among(rows)]
    ['guest-0', 'guest-0', 'guest-0']
    >>> guests.known(), guests.known()
    ([], [{'user': 'ann', 'merge_from': 'guest-0'}])
    """

    def __init__(self, seed: int, share: float = SHARE) -> None:
        self._random = Random(seed)  # noqa: S311 - a simulation, no secret
        self._share = share
        self._count = 0
        self._inside: dict[str, tuple[str, int]] = {}  # guest and choices to come, by user
        self._left: list[dict[str, Any]] = []
        self._due: list[dict[str, Any]] = []

    def among(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield rows, some of them as what guests do."""
        for row in rows:
            user = row["user"]
            if user not in self._inside and self._random.random() < self._share:
                self._inside[user] = f"guest-{self._count}", LONG
                self._count += 1
            if user not in self._inside:
                yield row
                continue
            guest, left = self._inside.pop(user)
            yield row | {"user": guest}
            if left > 1:
                self._inside[user] = guest, left - 1
            else:
                self._left.append({"user": user, "merge_from": guest})

    def known(self) -> list[dict[str, Any]]:
        """Return messages for `users` of those who had left before the last call.

        What they did is in the log by now; whoever calls lets some time pass between two calls.
        """
        due, self._due, self._left = self._due, self._left, []
        return due
