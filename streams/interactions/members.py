"""Members: in which groups items, or users, are, as `items` and `users` tell their attributes.

Who is in the same group of each grouping is of one kind: a number per name, whatever is told.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.groups import LONGEST, MOST, NONE, OTHER, Groups
from learners.arrays import F64, I32, Flags
from streams.interactions.kind_of import KindOf
from streams.interactions.kinds import Attributes, first_of


class Members(KindOf):
    """Kinds by name; `of` has those that are not of kind 0: of no group at all.

    >>> members = Members({"category": Groups()})
    >>> members.tell("pan", {"category": "kitchen"})
    >>> members.of, members.values(0), members.numbers().tolist()
    ({'pan': 1}, ['none', 'other', 'kitchen'], [[0, 2]])
    """

    def __init__(self, groups: Mapping[str, Groups]) -> None:
        super().__init__()
        self.groups = groups
        self._attributes = [group.attribute or name for name, group in groups.items()]
        self._values: list[dict[str, int]] = []
        for group in groups.values():
            values = dict.fromkeys([NONE, OTHER, *(value[:LONGEST] for value in group.floors)])
            self._values.append({value: number for number, value in enumerate(values)})
        self._kinds: dict[tuple[int, ...], int] = {(0,) * len(groups): 0}
        self._numbers = np.zeros((len(groups), 1), np.int32)

    def tell(self, name: str, attributes: Attributes) -> None:
        """Know somebody by these attributes, and by nothing that was told before."""
        if not self._values:
            return
        numbers = tuple(
            _number(values, first_of(attributes.get(attribute))[:LONGEST])
            for values, attribute in zip(self._values, self._attributes, strict=True)
        )
        self.put(name, self._kinds.setdefault(numbers, len(self._kinds)))

    @property
    def count(self) -> int:
        """How many kinds there are."""
        return len(self._kinds)

    def kinds(self, names: Sequence[str]) -> I32:
        """Return of which kinds they are, 0 for strangers."""
        return np.array([self.of.get(name, 0) for name in names], np.int32)

    def values(self, grouping: int) -> list[str]:
        """Return the values of a grouping by their numbers."""
        return list(self._values[grouping])

    def numbers(self) -> I32:
        """Return, (groupings, kinds), the numbers of values."""
        if self._numbers.shape[1] < len(self._kinds):
            self._numbers = np.array(list(self._kinds), np.int32).T
        return self._numbers

    def floors(self) -> tuple[F64, Flags]:
        """Return, (floors,), parts of places and, (floors, kinds), which kinds each is for."""
        share, member = list[float](), list[Flags]()
        for number, group, values in zip(
            self.numbers(), self.groups.values(), self._values, strict=True
        ):
            for value, part in group.floors.items():
                share.append(part)
                member.append(number == values[value[:LONGEST]])
        return np.array(share), np.array(member).reshape(len(share), len(self._kinds))


def _number(values: dict[str, int], value: str) -> int:
    if value not in values and len(values) >= MOST + 2:
        return values[OTHER]
    return values.setdefault(value or NONE, len(values))
