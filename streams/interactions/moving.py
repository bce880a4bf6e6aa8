"""Moving: guests of one partition become accounts, of this one or another.

What is folded here is in the log: a merge where the guest is, and behind the events of the account
a handover, if that is elsewhere. Both may stand there more than once, since a replay sends again
what it moved. So a shard remembers up to which message of `users` it has merged, and up to which
record of each other partition it was handed something; each of them comes in order.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from contracts.control import alias
from contracts.guests import Handover, Merge
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from learners.arrays import I32
from learners.erased import Choice, subtract
from learners.moved import Past, arrive, depart
from learners.recommender import Recommender
from learners.users import Users
from streams.interactions.guests import Found, Guests, Place
from streams.kafka.partitioner import Partitioner
from streams.shards import Message

REMEMBERED = 10_000  # guests whose account is known here, for what is handed to them later


class Moved(NamedTuple):
    """Who is gone from here, in whose slot something has come, and what is to be sent.

    What goes with items that are `dirty` has changed.
    """

    gone: str = ""
    slot: int = -1
    messages: tuple[Message, ...] = ()
    dirty: I32 = np.empty(0, np.int32)


NOTHING = Moved()
Aliases = list[tuple[str, int]]  # guests, each with its partition
State = tuple[
    dict[str, int], list[tuple[str, int, int]], list[tuple[str, str, int]], dict[str, Aliases]
]
EMPTY = msgspec.msgpack.encode(({}, [], [], {}))


class _Coming(NamedTuple):
    """Whose past comes to which account, by which message of `users`."""

    past: Past
    guests: Sequence[tuple[str, int]]
    user: str
    message: int


class Moving:
    """Moves people; what it remembers is part of the partition's state."""

    def __init__(
        self, settings: Settings, partition: int, model: Recommender, users: Users
    ) -> None:
        self._partition = partition
        self._model, self._users = model, users
        self._guests = Guests(settings)
        self._owner = Partitioner(settings.partitioner, settings.partitions)
        self._merged: dict[str, int] = {}
        self._handed: dict[tuple[str, int], int] = {}
        self._accounts: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._before: dict[str, Aliases] = {}  # whom accounts of this partition have been
        self._key = settings.snapshot_key

    @property
    def merged_until(self) -> int:
        """The last message of `users` that was done here, -1 for none."""
        return max(self._merged.values(), default=-1)

    def merge(self, message: int, guest: str, user: str) -> Message:
        """Return what has to be produced to merge a guest, or with none to say that it is done.

        It goes the way of the guest's events, so it comes behind them in every replay.
        """
        slot = self._users.ids.find(guest)
        strayed = slot >= 0 and self._users.rows.rekeyed[slot]
        topic = REKEYED.name if strayed else INTERACTIONS.name
        return self._guests.sealed(Merge(message, guest, user), topic, self._partition)

    def take(self, found: Found, shared_too: bool) -> Moved:
        """Do what a message says, unless that was done before."""
        said, place = found.said, found.place
        if isinstance(said, Merge):
            return self._merge(said, place, shared_too)
        topic, partition, offset = said.origin
        if offset <= self._handed.get((topic, partition), -1):
            return NOTHING
        self._handed[topic, partition] = offset
        past = Past([Choice(*choice) for choice in said.choices], said.seen)
        if found.void:
            return self._let_go(past, found.late and shared_too)
        return self._bring(_Coming(past, said.guests, said.user, said.message), place, shared_too)

    def _merge(self, said: Merge, place: Place, shared_too: bool) -> Moved:
        if said.message <= self._merged.get(place[0], -1):
            return NOTHING
        self._merged[place[0]] = said.message
        if not said.guest:
            return NOTHING
        self._note(said)
        if said.guest not in self._users.ids:
            return NOTHING
        past = depart(self._model, self._users, said.guest, shared_too)
        own = alias(self._key, said.guest), self._partition
        guests = [*self._before.pop(said.guest, ()), own]
        coming = _Coming(past, guests, said.user, said.message)
        return self._bring(coming, place, shared_too)._replace(gone=said.guest)

    def _note(self, said: Merge) -> None:
        self._accounts.pop(said.guest, None)
        self._accounts[said.guest] = said.user, said.message
        if len(self._accounts) > REMEMBERED:
            self._accounts.popitem(last=False)

    def _bring(self, coming: _Coming, place: Place, shared_too: bool) -> Moved:
        """Put a past to an account; who was merged later than that is looked for further on.

        What did not come among the events of `interactions` is sent there first: it is their order
        that a replay keeps.
        """
        past, guests, user, message = coming
        while (later := self._accounts.get(user, ("", -1)))[1] > message:
            user, message = later
        home = self._owner(user)
        if home != self._partition or place[0] != INTERACTIONS.name:
            choices = list[tuple[str, float, float, int]](past.choices)
            said = Handover(message, user, place, choices, list(past.seen), list(guests))
            return Moved(messages=(self._guests.handover(said, INTERACTIONS.name, home),))
        known = self._before.setdefault(user, [])
        known += [guest for guest in guests if guest not in known]
        return Moved(slot=arrive(self._model, self._users, user, past, shared_too))

    def called(self, person: str) -> str:
        """Return the name of a guest who has this alias and is remembered, empty if nobody is."""
        guests = list(self._accounts)
        return next((guest for guest in guests if alias(self._key, guest) == person), "")

    def _let_go(self, past: Past, subtracted: bool) -> Moved:
        """Keep nothing of what comes to somebody who was forgotten."""
        if not subtracted:
            return NOTHING
        return Moved(dirty=subtract(self._model, past.choices, self._users.widths.history))

    def forget(self, user: str) -> Aliases:
        """Know nothing of a person any more; return whom the person has been."""
        for guest in [g for g, (account, _) in self._accounts.items() if user in (g, account)]:
            del self._accounts[guest]
        return self._before.pop(user, [])

    def dump(self) -> bytes:
        """Return what is remembered, as MessagePack; of accounts that were let go nothing is."""
        handed = sorted((*origin, offset) for origin, offset in self._handed.items())
        accounts = [(guest, *account) for guest, account in self._accounts.items()]
        before = {
            user: self._before[user] for user in sorted(self._before) if user in self._users.ids
        }
        merged = dict(sorted(self._merged.items()))
        return msgspec.msgpack.encode((merged, handed, accounts, before))

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `dump` was called; a state from before there were guests knows of none."""
        state = parts.get("guests", EMPTY)
        self._merged, handed, accounts, self._before = msgspec.msgpack.decode(state, type=State)
        self._handed = {(topic, partition): offset for topic, partition, offset in handed}
        self._accounts = OrderedDict((guest, (user, n)) for guest, user, n in accounts)
