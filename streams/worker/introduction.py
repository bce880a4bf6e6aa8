"""Tells units what `users` says of people, in whichever partition they are."""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from streams.shards import Unit


@runtime_checkable
class Introducing(Protocol):
    """A unit that goes by what users are."""

    def introduce(self, user: str, attributes: Mapping[str, object]) -> None:
        """Know a user by these attributes, and by nothing that was said before."""


def introduce(units: Iterable[Unit], user: str, attributes: Mapping[str, object]) -> None:
    """Have all units know a user by these attributes."""
    for unit in units:
        if isinstance(unit, Introducing):
            unit.introduce(user, attributes)
