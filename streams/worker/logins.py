"""Turns messages of `users` that say who a guest was into merges behind the guest's events.

Every worker reads all of `users`, whoever owns the guest's partition writes the merge, and the
shard remembers up to which message that was done: each is taken once, whoever reads it again.
What was sent before the message was read is the guest's, so the shard must have come that far
before, and events that went to another partition by mistake must have come from there.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice, takewhile
from typing import Any, NamedTuple, Protocol, runtime_checkable

from contracts.control import Points
from contracts.events import User
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from streams.decode import Dead, DeadMessage, EventDecoder, checked_id
from streams.kafka.partitioner import Partitioner
from streams.shards import Message
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards

AT_ONCE = 500  # merges that are produced together
REMEMBERED = 10_000  # accounts that may be guests of others in the next message
SOON_S, LATER_S = 0.05, 1.0
Ends = Callable[[], Awaitable[Points]]
Send = Callable[[list[Message]], Awaitable[None]]
Tell = Callable[[str, Mapping[str, object]], None]
Bury = Callable[[Sequence[tuple[Any, Dead]]], Awaitable[None]]


class Guesthouse(Protocol):
    """What a shard tells of its guests; messages are offsets in `users`."""

    @property
    def merged_until(self) -> int:
        """The last message that was done here: its guest merged or not known; -1 for none."""

    def hosts(self, user: str) -> bool:
        """Tell whether anything is known of a user."""

    def merge(self, message: int, guest: str, user: str) -> Message:
        """Return what has to be produced to merge a guest, or with none to say that it is done."""

    def passed_on(self, partition: int) -> int:
        """Return the last event that was sent on to another partition, or -1."""

    def came_from(self, partition: int) -> int:
        """Return the last event of another partition that has come here, or -1."""


@runtime_checkable
class Hosting(Protocol):
    """A shard whose users may be guests who become accounts."""

    @property
    def guests(self) -> Guesthouse:
        """What it tells of them."""


class Login(NamedTuple):
    """A message of `users`, by its offset: who a guest was; `until` are the logs' ends by then."""

    message: int
    guest: str
    user: str
    until: Points


class Logins:
    """Takes messages and has them merged; `opening` tells whether shards are still missing.

    Args:
        ends: asks where the logs end.
        send: produces, waiting for Kafka.
        bury: makes dead letters.
    """

    def __init__(
        self, settings: Settings, owned_shards: OwnedShards, ends: Ends, send: Send, bury: Bury
    ) -> None:
        self.opening: Callable[[], bool] = lambda: False
        self.tell: Sequence[Tell] = ()  # who hears of the attributes of users, none if erased
        self._owned_shards = owned_shards
        self._ends, self._send, self._bury = ends, send, bury
        self._decode = EventDecoder(User, settings.max_message_bytes).decode
        self._owner = Partitioner(settings.partitioner, settings.partitions)
        self._waiting: dict[int, deque[Login]] = {}
        self._accounts: dict[str, None] = {}  # named lately, in order
        self._asked: dict[int, tuple[OwnedShard, int]] = {}
        self._news = asyncio.Event()

    async def take(self, records: Sequence[Any]) -> None:
        """Take messages of `users`, whatever they are; who tombstones erase is another's affair."""
        dead: list[tuple[Any, Dead]] = []
        found: list[tuple[int, str, str]] = []
        for record in records:
            try:
                found += self._read(record)
            except DeadMessage as error:
                dead.append((record, error.dead))
        if found:
            until = await self._ends()
            for message, guest, user in found:
                self._accounts.pop(user, None)
                self._accounts[user] = None
                waiting = self._waiting.setdefault(self._owner(guest), deque())
                waiting.append(Login(message, guest, user, until))
            for old in list(islice(self._accounts, max(0, len(self._accounts) - REMEMBERED))):
                del self._accounts[old]
            self._news.set()
        await self._bury(dead)

    def _read(self, record: Any) -> Iterator[tuple[int, str, str]]:
        if record.value is None:
            self._say((record.key or b"").decode("utf-8", "replace"), {})
            return
        said: User = self._decode(record.value)
        user = checked_id(said.user, "user")
        self._say(user, said.attributes)
        guest = user if said.merge_from is None else checked_id(said.merge_from, "merge_from")
        if guest != user:  # who they are already they need not become
            yield record.offset, guest, user

    def _say(self, user: str, attributes: Mapping[str, object]) -> None:
        for hear in self.tell:
            hear(user, attributes)

    async def run(self) -> None:
        """Look whenever there may be something to do, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LATER_S)
            self._news.clear()
            if await self.look():
                await asyncio.sleep(SOON_S)
                self._news.set()

    async def look(self) -> bool:
        """Have merged what can be; return whether more of what is ours waits."""
        if self.opening():
            return False
        shards = {o.partition: o for o in self._owned_shards.all if isinstance(o.shard, Hosting)}
        for partition, owned in shards.items():
            waiting = self._waiting.get(partition, deque())
            while waiting and waiting[0].message <= _guests(owned).merged_until:
                waiting.popleft()
        own = [owned for owned in shards.values() if not owned.followed]
        for owned in own:
            await self._merge(owned, shards)
        return any(self._waiting.get(owned.partition) for owned in own)

    async def _merge(self, owned: OwnedShard, shards: Mapping[int, OwnedShard]) -> None:
        """Write merges of one partition, in the order of `users`."""
        before, asked = self._asked.get(owned.partition, (owned, -1))
        asked = asked if before is owned else -1
        new = (login for login in self._waiting.get(owned.partition, ()) if login.message > asked)
        ready = takewhile(lambda login: _arrived(owned, login.until, shards), new)
        if not (logins := list(islice(ready, AT_ONCE))):
            return
        for _, messages in groupby(self._messages(owned, logins), lambda message: message.topic):
            await self._send(list(messages))  # one topic after the other: none may be left out
        self._asked[owned.partition] = owned, logins[-1].message

    def _messages(self, owned: OwnedShard, logins: Sequence[Login]) -> list[Message]:
        """Return what says that these messages are done; of strangers there is nothing to merge.

        Who was to become an account may be one who is about to have a past.
        """
        guests, found, last = _guests(owned), list[Message](), logins[-1].message
        for message, guest, user, _ in logins:
            if guests.hosts(guest) or guest in self._accounts:
                found.append(guests.merge(message, guest, user))
            elif message == last:
                found.append(guests.merge(message, "", ""))
        return found


def _guests(owned: OwnedShard) -> Guesthouse:
    assert isinstance(owned.shard, Hosting)  # noqa: S101 - only such are looked at
    return owned.shard.guests


def _arrived(owned: OwnedShard, until: Points, shards: Mapping[int, OwnedShard]) -> bool:
    """Tell whether a shard has all events of its users that lay before these ends of the logs."""
    here, guests = owned.partition, _guests(owned)
    for partition, end in until.get(INTERACTIONS.name, {}).items():
        other = shards.get(partition)
        if other is None or other.next[INTERACTIONS.name] < end:
            return False
        if guests.came_from(partition) < _guests(other).passed_on(here):
            return False
    return owned.next[REKEYED.name] >= until.get(REKEYED.name, {}).get(here, 0)
