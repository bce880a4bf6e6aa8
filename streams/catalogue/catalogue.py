"""What `items` says of each item, as far as it decides whether the item may be shown now.

The topic is compacted and read by every worker from its begin, so each knows the same. It is no
state that is learned: nothing of it is saved, and a replay of events knows nothing of it.
"""

import asyncio
import heapq
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.events import Item
from contracts.settings import Settings
from streams.decode import Dead, DeadMessage, EventDecoder, checked_id

UNTIL = "available_until"  # an attribute: seconds, or an ISO date; from then on it is hidden
LATEST_S = 1e11  # what lies beyond is in milliseconds
LONGEST_REST_S = 1.0  # and so does a clock that was set take effect
Apply = Callable[[frozenset[str]], None]
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
        self._hidden: set[str] = set()
        self._until: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []
        self._applied = frozenset[str]()
        self._news = asyncio.Event()

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages, whatever they are."""
        dead: list[tuple[Any, Dead]] = []
        for record in records:
            try:
                self._note(*self._read(record))
            except DeadMessage as error:
                dead.append((record, error.dead))
        self._news.set()
        await self._bury(dead)

    async def run(self) -> None:
        """Apply what changes by messages and by time, until cancelled."""
        while True:
            self.look()
            try:
                async with asyncio.timeout(self._rest()):
                    await self._news.wait()
            except TimeoutError:
                continue

    def look(self) -> None:
        """Apply what has changed."""
        self._news.clear()
        self._expire(self._clock())
        now = frozenset(self._hidden)
        if now != self._applied:
            self._apply(now)
            self._applied = now

    def _read(self, record: Any) -> tuple[str, float]:
        """Return an item, and until when it may be shown: -inf for never."""
        if record.value is None:
            if not record.key:
                raise DeadMessage("null_value", "neither a value nor a key: nobody is meant")
            return checked_id(_text(record.key), "key"), -math.inf
        found: Item = self._decoder.decode(record.value)
        name = checked_id(found.item, "item")
        return name, -math.inf if found.hidden else _until(found.attributes.get(UNTIL))

    def _note(self, name: str, until: float) -> None:
        self._hidden.discard(name)
        self._until.pop(name, None)
        if until == -math.inf:
            self._hidden.add(name)
        elif until < math.inf:
            self._until[name] = until
            heapq.heappush(self._due, (until, name))

    def _expire(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            until, name = heapq.heappop(self._due)
            if self._until.get(name) == until:  # else something else was said since
                self._hidden.add(name)

    def _rest(self) -> float:
        if not self._due:
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
    seconds = _date(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise DeadMessage("wrong_type", f"{UNTIL} must be seconds or an ISO date, got {value!r}")
    if not -LATEST_S < seconds < LATEST_S:
        raise DeadMessage("ts_in_milliseconds", f"{UNTIL} is {value!r}; it must be in seconds")
    return float(seconds)


def _date(text: str) -> float | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
