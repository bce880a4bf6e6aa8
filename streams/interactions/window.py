"""Window: the last ids that came, to know again what comes twice."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator


class Window:
    """Remembers the last `size` ids; noting one that is inside is the caller's mistake.

    >>> window = Window(2)
    >>> window.note(["a", "b", "c"])
    >>> "a" in window, list(window)
    (False, ['b', 'c'])
    """

    def __init__(self, size: int, ids: Iterable[str] = ()) -> None:
        self._size = size
        self._inside: set[str] = set()
        self._order: deque[str] = deque()
        self.note(list(ids))

    def note(self, ids: Collection[str]) -> None:
        """Remember ids, in order; the oldest go."""
        self._inside.update(ids)
        self._order.extend(ids)
        out = self._order.popleft
        self._inside.difference_update([out() for _ in range(len(self._order) - self._size)])

    def add(self, id_: str) -> None:
        """Remember one id; the oldest goes."""
        self._inside.add(id_)
        self._order.append(id_)
        if len(self._order) > self._size:
            self._inside.discard(self._order.popleft())

    def knows_any(self, ids: set[str]) -> bool:
        """Return whether at least one of these is inside."""
        return not self._inside.isdisjoint(ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._inside

    def __iter__(self) -> Iterator[str]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)
