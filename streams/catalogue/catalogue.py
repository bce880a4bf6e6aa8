"""What `items` says of each item: whether it may be shown now, and attributes for who wants them.

The topic is compacted and read by every worker from its begin, so each knows the same. It is no
state that is learned: nothing of it is saved, and a replay of events knows nothing of it.
"""

import asyncio
import contextlib
import heapq
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from contracts.events import Item
from contracts.settings import Settings
from streams.decode import Dead, DeadMessage, EventDecoder, checked_id
from streams.sources.fields import LATEST_TS, date

UNTIL = "available_until"  # an attribute: seconds, or an ISO date; from then on it is hidden
LEFTOVERS = 1_000
LONGEST_REST_S = 1.0  # a clock that is set takes effect within this
SHORTEST_REST_S = 0.02  # what comes meanwhile is applied together
Apply = Callable[[frozenset[str]], None]
Tell = Callable[[str, Mapping[str, object]], None]
Bury = Callable[[Sequence[tuple[Any, Dead]]], Awaitable[None]]


class Catalogue:
    """Takes messages of `items`; `apply` hears of everything that may not be shown, if it changed.

    A removed item is hidden until a later message brings it back.
    """

    def __init__(
        self,
        settings: Settings,
        apply: Apply,
        bury: Bury,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._decoder = EventDecoder(Item, settings.max_message_bytes)
        self._apply, self._bury, self._clock = apply, bury, clock
        self.tell: Tell = lambda *_: None  # who hears of the attributes of items, none if removed
        self._hidden: set[str] = set()
        self._until: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []
        self._changed = self._begun = False
        self._news = asyncio.Event()

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages, whatever they are."""
        dead: list[tuple[Any, Dead]] = []
        for record in records:
            try:
                name, attributes, until = self._read(record)
                self._note(name, until)
                self.tell(name, attributes)
            except DeadMessage as error:
                dead.append((record, error.dead))
        self._news.set()
        await self._bury(dead)

    async def run(self) -> None:
        """Apply what changes by messages and by time, until cancelled."""
        while True:
            self._news.clear()
            if self._begun:
                self.look()
            await asyncio.sleep(SHORTEST_REST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rest()):
                    await self._news.wait()

    def look(self) -> None:
        """Apply what has changed; to be called once when the topic was read to its end."""
        self._begun = True
        self._expire(self._clock())
        if self._changed:
            self._changed = False
            self._apply(frozenset(self._hidden))

    def _read(self, record: Any) -> tuple[str, dict[str, Any], float]:
        """Return an item, its attributes, and until when it may be shown: -inf for never."""
        if record.value is None:
            if not record.key:
                raise DeadMessage("null_value", "neither a value nor a key: nobody is meant")
            return checked_id(_text(record.key), "key"), {}, -math.inf
        found: Item = self._decoder.decode(record.value)
        name = checked_id(found.item, "item")
        until = -math.inf if found.hidden else _until(found.attributes.get(UNTIL))
        return name, found.attributes, until

    def _note(self, name: str, until: float) -> None:
        self._until.pop(name, None)
        self._set(name, until == -math.inf)
        if math.isfinite(until):
            self._until[name] = until
            heapq.heappush(self._due, (until, name))
        if len(self._due) > 2 * len(self._until) + LEFTOVERS:  # said anew again and again
            self._due = sorted((until, name) for name, until in self._until.items())

    def _set(self, name: str, hidden: bool) -> None:
        if hidden != (name in self._hidden):
            (self._hidden.add if hidden else self._hidden.discard)(name)
            self._changed = True

    def _expire(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            until, name = heapq.heappop(self._due)
            if self._until.get(name) == until:  # else something else was said since
                self._set(name, hidden=True)

    def _rest(self) -> float:
        if not (self._due and self._begun):
            return LONGEST_REST_S
        return min(max(0.0, self._due[0][0] - self._clock()), LONGEST_REST_S)


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise DeadMessage("not_utf8", f"the key, byte {error.start}: {error.reason}") from None


def _until(value: object) -> float:
    """Return a time in seconds, inf where nothing is said.

    >>> _until("2026-01-01T00:00:00Z")
    1767225600.0
    """
    if value is None:
        return math.inf
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) < LATEST_TS:
            raise DeadMessage("ts_in_milliseconds", f"{UNTIL} is {value!r:.80}; it is in seconds")
        return float(value)
    try:
        return date(value, UNTIL)
    except ValueError as error:
        raise DeadMessage("wrong_type", str(error)) from None
