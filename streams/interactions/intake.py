"""Intake: the records of a batch become events to learn, dead letters and re-keyed events.

What is remembered here (recent event ids, the highest re-keyed offset per origin) is part of the
partition's state: it is saved and restored with it, so a replay decides as the first time.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import filterfalse
from typing import Any, NamedTuple

import msgspec
import numpy as np

from contracts.control import alias
from contracts.events import Interaction
from contracts.guests import Handover
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from streams.dead_letters import dead_letter
from streams.decode import Dead, DeadMessage, EventDecoder, checked_id, checked_time
from streams.interactions import messages
from streams.interactions.guests import Found, Guests
from streams.interactions.misplaced import Cause
from streams.interactions.whole import FEWEST, Whole, WholeDecoder
from streams.interactions.window import Window
from streams.kafka.partitioner import Partitioner
from streams.shards import NOBODY, Batch, Message, Record, Void

State = tuple[list[str], dict[int, int], float, dict[int, int]]
LATE_S = 60.0  # an event this much older than the newest one is counted as late


class Taken(NamedTuple):
    """What a batch brought: columns of events to learn, messages to send, outcomes counted.

    `moves` are messages about guests, each with the number of events before it. `reasons` are those
    of dead letters, `causes` why events came to another user's partition.
    """

    user: list[str]
    item: list[str]
    action: list[str]
    ts: list[float]
    context: list[dict[str, Any] | None]
    record: list[Record]
    moves: list[tuple[int, Found]]
    messages: list[Message]
    outcomes: Counter[str]
    reasons: Counter[str]
    causes: Counter[str]


class Told(NamedTuple):
    """What an event says, whose record is at hand."""

    record: Record
    item: str
    action: str
    ts: float
    context: dict[str, Any] | None


class Intake:
    """The door of one partition."""

    def __init__(self, settings: Settings, partition: int, is_known: Callable[[str], bool]) -> None:
        self._partition = partition
        self._is_known = is_known
        self._mine: set[str] = set()  # newcomers of this batch that belong here
        self._owner = Partitioner(settings.partitioner, settings.partitions)
        self._cause = Cause(settings)
        self._signed = messages.Origins(settings)
        self._guests = Guests(settings)
        self._key = settings.snapshot_key
        self._void: Mapping[str, Void] = NOBODY
        self._decode = EventDecoder(Interaction, settings.max_message_bytes).decode
        self._decode_whole = WholeDecoder(settings.max_message_bytes)
        self._window = settings.duplicates_window
        self._recent = Window(self._window)
        self._origins: dict[int, int] = {}
        self._passed: dict[int, int] = {}
        self._latest = 0.0

    def take(self, batch: Batch) -> Taken:
        """Return what is to be done with the records of a batch, in order."""
        leaving = _leaving(batch)
        if len(batch.records) >= FEWEST and batch.topic != REKEYED.name and not leaving:
            columns = self._decode_whole(batch.records)
            if columns is not None and self._all_new(columns):
                return self._take_whole(batch, columns)
        return self._take_each(batch, leaving)

    def _all_new(self, columns: Whole) -> bool:
        """Return whether no event came before and every user belongs here."""
        ids = set(columns.event_id)
        if self._window and (len(ids) < len(columns.event_id) or self._recent.knows_any(ids)):
            return False
        strangers = filterfalse(self._is_known, set(columns.user))
        return all(self._owner(user) == self._partition for user in strangers)

    def _take_whole(self, batch: Batch, columns: Whole) -> Taken:
        self._recent.note(columns.event_id)
        latest = np.maximum.accumulate(np.append(self._latest, columns.ts))
        self._latest = float(latest[-1])
        outcomes = Counter(learned=len(columns.ts))
        if late := int((columns.ts < latest[:-1] - LATE_S).sum()):
            outcomes["late"] = late
        ts, records = columns.ts.tolist(), list(batch.records)
        return Taken(
            columns.user,
            columns.item,
            columns.action,
            ts,
            columns.context,
            records,
            [],
            [],
            outcomes,
            Counter(),
            Counter(),
        )

    def _take_each(self, batch: Batch, leaving: bool) -> Taken:
        taken = Taken([], [], [], [], [], [], [], [], Counter(), Counter(), Counter())
        self._mine.clear()
        rekeyed = batch.topic == REKEYED.name
        self._void = batch.void if leaving else NOBODY
        for record in batch.records:
            try:
                outcome = self._take(record, rekeyed, taken)
            except DeadMessage as error:
                outcome = self._no_event(record, batch, error.dead, taken)
            taken.outcomes[outcome] += 1
        return taken

    def _no_event(self, record: Record, batch: Batch, dead: Dead, taken: Taken) -> str:
        """Take a message about a guest; what is neither that nor an event is dead."""
        try:
            found = self._guests.read(record, batch.topic, self._partition)
        except DeadMessage as error:
            found, dead = None, error.dead
        if found is None:
            return self._bury(record, batch, dead, taken)
        found = self._looked_up(found, batch.void)
        taken.moves.append((len(taken.user), found))
        return "forgotten" if found.void else "guest"

    def _take(self, record: Record, rekeyed: bool, taken: Taken) -> str:
        event = self._decode(record.value)
        user, item = event.user, event.item
        if type(user) is not str or len(user) > 64:
            user = checked_id(user, "user")
        if type(item) is not str or len(item) > 64:
            item = checked_id(item, "item")
        event_id = checked_id(event.event_id, "event_id")
        if event.session is not None or event.impression is not None:
            _check_others(event)
        ts = checked_time(event.ts, record.timestamp / 1000)
        if user not in self._mine and not self._is_known(user):
            owner = self._owner(user)
            if owner != self._partition:
                return self._pass_on(record, user, owner, rekeyed, taken)
            self._mine.add(user)
        if (rekeyed and self._came_before(record, user)) or event_id in self._recent:
            return "duplicate"
        if self._void and self._is_void(record, user, rekeyed):
            return "forgotten"
        self._recent.add(event_id)
        if ts < self._latest - LATE_S:
            taken.outcomes["late"] += 1
        elif ts > self._latest:
            self._latest = ts
        taken.user.append(user)
        taken.item.append(item)
        taken.action.append(event.action)
        taken.ts.append(ts)
        taken.context.append(event.context)
        taken.record.append(record)
        return "learned"

    def _pass_on(self, record: Record, user: str, owner: int, rekeyed: bool, taken: Taken) -> str:
        if rekeyed:
            raise DeadMessage("no_origin", f"{user!r} belongs to partition {owner}")
        taken.causes[self._cause(record.key, user, self._partition)] += 1
        taken.messages.append(self._signed.rekeyed(record, user, self._partition, owner))
        self._passed[owner] = record.offset
        return "rekeyed"

    def passed_on(self, partition: int) -> int:
        """Return the last event that was sent on to another partition, or -1."""
        return self._passed.get(partition, -1)

    def came_from(self, partition: int) -> int:
        """Return the last event of another partition that has come here, or -1."""
        return self._origins.get(partition, -1)

    def _came_before(self, record: Record, user: str) -> bool:
        """Return whether a re-keyed event was here already: its origin was replayed."""
        try:
            origin, offset = self._signed.read(record, user)
        except ValueError as error:
            raise DeadMessage("no_origin", str(error)) from None
        if offset <= self._origins.get(origin, -1):
            return True
        self._origins[origin] = offset
        return False

    def _is_void(self, record: Record, user: str, rekeyed: bool) -> bool:
        """Return whether the user was forgotten after this event was sent."""
        void = self._void.get(alias(self._key, user))
        if void is None:
            return False
        topic = REKEYED.name if rekeyed else INTERACTIONS.name
        if record.offset < void.until.get(topic, 0) or not rekeyed:
            return record.offset < void.until.get(topic, 0)
        origin, offset = self._signed.read(record, user)
        return offset < void.origins.get(origin, 0)

    def _looked_up(self, found: Found, void: Mapping[str, Void]) -> Found:
        """Return a message with whether the account was forgotten after the guest had become it."""
        gone = void.get(alias(self._key, found.said.user)) if void else None
        if gone is None or not isinstance(found.said, Handover):
            return found
        topic, partition, offset = found.said.origin
        if found.place[2] < gone.until.get(found.place[0], 0):
            return found._replace(void=True)
        late = topic == INTERACTIONS.name and offset < gone.origins.get(partition, 0)
        return found._replace(void=late, late=late)

    def forget(self, user: str) -> int:
        """Remember no event ids that name a user; return how many there were."""
        self._mine.discard(user)
        if gone := set(self.event_ids(user)):
            self._recent = Window(self._window, [id_ for id_ in self._recent if id_ not in gone])
        return len(gone)

    def event_ids(self, user: str) -> list[str]:
        """Return the remembered event ids that name a user."""
        names = re.compile(rf"(?<![^\W_]){re.escape(user)}(?![^\W_])")
        return [id_ for id_ in self._recent if names.search(id_)]

    def events_of(self, user: str, records: Sequence[Record]) -> list[Told]:
        """Return the events of a user among records, each of them once."""
        found: dict[str, Told] = {}
        for record in records:
            try:
                event = self._decode(record.value)
                if checked_id(event.user, "user") == user:
                    ts = checked_time(event.ts, record.timestamp / 1000)
                    item = checked_id(event.item, "item")
                    told = Told(record, item, event.action, ts, event.context)
                    found.setdefault(checked_id(event.event_id, "event_id"), told)
            except DeadMessage:
                continue  # it was none then, either
        return list(found.values())

    def _bury(self, record: Record, batch: Batch, dead: Dead, taken: Taken) -> str:
        letter = dead_letter(record, batch.topic, batch.partition, dead)
        taken.messages.append(letter)
        taken.reasons[dead.reason] += 1
        return "dead_letter"

    def dump(self) -> bytes:
        """Return what is remembered, as MessagePack."""
        passed = dict(sorted(self._passed.items()))
        return msgspec.msgpack.encode((list(self._recent), self._origins, self._latest, passed))

    def load(self, state: bytes) -> None:
        """Stand where `dump` was called."""
        recent, self._origins, self._latest, self._passed = _decoded(state)
        self._recent = Window(self._window, recent)


def for_new_topics(state: bytes) -> bytes:
    """Return a dumped intake for topics that begin anew: old re-keyed offsets mean nothing."""
    recent, _, latest, _ = _decoded(state)
    return msgspec.msgpack.encode((recent, {}, latest, {}))


def _decoded(state: bytes) -> State:
    told = msgspec.msgpack.decode(state, type=list[Any])  # older versions do not know the last one
    found: State = msgspec.convert((*told, {})[:4], type=State)
    return found


def _leaving(batch: Batch) -> bool:
    """Return whether any of these records may be from before somebody was forgotten."""
    if not batch.void or batch.topic == REKEYED.name:
        return bool(batch.void)
    until = max(void.until.get(batch.topic, 0) for void in batch.void.values())
    return batch.records[0].offset < until


def _check_others(event: Interaction) -> None:
    for field in ("session", "impression"):
        id_ = getattr(event, field)
        if id_ is not None:
            checked_id(id_, field)
