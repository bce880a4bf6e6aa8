"""Features that were answered and wait for their label; part of the folded state."""

import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

from learners.predictor import Answer, X


class Asked(NamedTuple):
    """What a predictor was asked, and what it said; `ts` is the time of the features."""

    x: X
    given: Answer
    ts: float


class Pending:
    """At most `capacity` waiting features by id; the longest waiting are let go.

    >>> pending = Pending(1)
    >>> pending.put("a", Asked({}, Answer(None, None, 0), 0.0))
    []
    >>> pending.put("b", Asked({}, Answer(None, None, 0), 0.0))
    ['a']
    >>> pending.look("a") is None, "b" in pending
    (True, True)
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._asked

    def put(self, id_: str, asked: Asked) -> list[str]:
        """Keep features until their label comes, those of an earlier asking no longer.

        Returns the ids that were let go for it.
        """
        self._asked[id_] = asked
        self._asked.move_to_end(id_)
        excess = len(self._asked) - self._capacity
        return [self._asked.popitem(last=False)[0] for _ in range(excess)]

    def look(self, id_: str) -> Asked | None:
        """Return the features of an id; None if none wait."""
        return self._asked.get(id_)

    def ids(self) -> list[str]:
        """Return the ids whose features wait."""
        return list(self._asked)

    def drop(self, id_: str) -> None:
        """Keep the features of an id no longer: their label was learned."""
        del self._asked[id_]

    def dump(self) -> bytes:
        """Return everything that waits: a pickle, since labels may be of any kind."""
        return pickle.dumps([(i, tuple(asked)) for i, asked in self._asked.items()], protocol=5)

    def load(self, data: bytes) -> None:
        """Stand where `dump` was called; `data` must be what we wrote ourselves.

        A smaller capacity than then lets the longest waiting go.
        """
        found: list[tuple[str, Any]] = pickle.loads(data)  # noqa: S301 - signed, see above
        self._asked = OrderedDict((i, Asked(*asked)) for i, asked in found[-self._capacity :])
