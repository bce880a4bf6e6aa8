"""Ids become slots: small integers that index the kernels' arrays."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class Ids:
    """Give every id a slot below `capacity`; when none is free, the least recently used goes.

    Mapping is the only place where use is noted, event by event, so what is let go does not
    depend on how events were cut into batches.

    >>> ids = Ids(capacity=2)
    >>> ids.admit("tea"), ids.admit("jam"), ids.admit("tea")
    (0, 1, 0)
    >>> ids.oldest(1)
    ['jam']

    The first slots may be reserved: who is lent one is known by it, has no use that is noted, and
    changes nothing for the others.

    >>> ids = Ids(capacity=2, reserved=8)
    >>> ids.lend(3, "oat"), ids.admit("tea")
    (None, 8)
    >>> ids.find_shown(["oat", "tea", "soap"]).tolist(), "oat" in ids
    ([3, 8, -1], False)
    """

    def __init__(self, capacity: int, reserved: int = 0) -> None:
        self.capacity, self.reserved = capacity, reserved
        self.lent: dict[str, int] = {}
        self.given = 0  # slots that were lent since the beginning
        self.names: list[str] = [""] * reserved
        self.evicted = 0
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._free: list[int] = []
        self._news: dict[str, list[int]] = {}  # noted for followers only: nobody else empties it

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, name: str) -> bool:
        return name in self._slots

    @property
    def knows(self) -> Callable[[object], bool]:
        """What tells whether an id has a slot, now and later; a call in between costs 50 ns."""
        return self._slots.__contains__

    @property
    def full(self) -> bool:
        """Whether the next unknown id has no slot."""
        return len(self._slots) >= self.capacity

    @property
    def beyond(self) -> int:
        """How many have a slot beyond the capacity: those of a state that had room for more."""
        return max(0, len(self._slots) - self.capacity)

    def find(self, name: str) -> int:
        """Return the slot of an id without noting its use; -1 for a stranger."""
        return self._slots.get(name, -1)

    def admit(self, name: str) -> int:
        """Return the slot of an id and note its use; the caller has made room for a new one."""
        slot = self._slots.get(name)
        if slot is not None:
            self._slots.move_to_end(name)
            return slot
        if self._free:
            slot = self._free.pop()
            self.names[slot] = name
        else:
            slot = len(self.names)
            self.names.append(name)
        self._slots[name] = slot
        self._tell(slot)
        return slot

    def _tell(self, slot: int) -> None:
        for news in self._news.values():
            news.append(slot)

    def lend(self, slot: int, name: str) -> None:
        """Give a reserved slot to a name that has none, or to nobody (empty)."""
        if self.lent.get(self.names[slot]) == slot:
            del self.lent[self.names[slot]]
        self.names[slot] = name
        if name:
            self.lent[name] = slot
            self.given += 1
        self._tell(slot)

    def find_shown(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the slots of ids that may stand on lists, those that were lent too; else -1."""
        known, lent = self._slots.get, self.lent.get
        return np.array([known(name, lent(name, -1)) for name in names], np.int32)

    def follow(self, who: str = "") -> list[int]:
        """Return the slots whose id changed since somebody's last call; the first time all of them.

        >>> ids = Ids(capacity=2)
        >>> _ = ids.admit("tea")
        >>> ids.follow(), ids.admit("jam"), ids.follow(), ids.follow()
        ([0], 1, [1], [])
        """
        news = self._news.get(who)
        self._news[who] = []
        return list(range(len(self.names))) if news is None else news

    def map_in_turn(self, names: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return slots and which of them are newcomers; a full map lets its oldest go each time."""
        slots = np.empty(len(names), np.int32)
        newcomers = np.zeros(len(names), np.bool_)
        known, note = self._slots.get, self._slots.move_to_end
        for k, name in enumerate(names):
            slot = known(name)
            if slot is None:
                if self.full:
                    self.drop(self.oldest(self.beyond + 1))
                slot = self.admit(name)
                newcomers[k] = True
            else:
                note(name)
            slots[k] = slot
        return slots, newcomers

    def map_while_room(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the slots of the longest beginning of `names` for which there is room."""
        slots: list[int] = []
        known, note, admit = self._slots.get, self._slots.move_to_end, self.admit
        for name in names:
            slot = known(name)
            if slot is None:
                if self.full:
                    break
                slot = admit(name)
            else:
                note(name)
            slots.append(slot)
        return np.array(slots, np.int32)

    def find_all(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the slots of ids without noting their use; -1 for strangers."""
        find = self._slots.get
        return np.array([find(name, -1) for name in names], np.int32)

    def oldest(self, count: int) -> list[str]:
        """Return the ids whose last use lies furthest back, oldest first."""
        return [name for name, _ in zip(self._slots, range(count), strict=False)]

    def drop(self, names: Iterable[str]) -> list[int]:
        """Let ids go and return the slots that became free."""
        freed = [self._slots.pop(name) for name in names]
        self.evicted += len(freed)
        self._free.extend(reversed(freed))
        return freed

    def forget(self, name: str) -> None:
        """Let one id go without a trace: not even an evicted one may say that it was here."""
        slot = self._slots.pop(name)
        self.names[slot] = ""
        self._free.append(slot)

    def order(self) -> list[int]:
        """Return the slots in use, least recently used first; 0.1 µs each."""
        return list(self._slots.values())

    def dump(self) -> tuple[list[str], list[int], int, list[int]]:
        """Return ids from least to most recently used, their slots, evictions and free slots."""
        return list(self._slots), list(self._slots.values()), self.evicted, list(self._free)

    @property
    def free(self) -> list[int]:
        """The slots that newcomers get, the last one first."""
        return list(self._free)

    def load(
        self, names: Sequence[str], slots: Sequence[int], evicted: int, free: Sequence[int]
    ) -> None:
        """Stand exactly where `dump` was called: the next newcomer gets the same slot, too."""
        self._news.clear()
        self._slots.clear()
        self._slots.update(zip(names, slots, strict=True))
        self.evicted = evicted
        self._free = list(free)
        self.lent.clear()
        self.names = [""] * (self.reserved + len(names) + len(free))
        for name, slot in self._slots.items():
            self.names[slot] = name
