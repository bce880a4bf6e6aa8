"""The checker: what workers have left in Redis and Kafka, held against the log.

Each check is a function from `Left` to sentences about what is wrong, none if all is well; what
else must hold is added to `CHECKS`. What is compared with is a fold of the same log by the same
code that nothing has disturbed; counts are also made without that code.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from benchmarks.chaos import log as logs
from benchmarks.chaos import saved as reading
from benchmarks.chaos.saved import SHARED, Saved
from contracts.settings import Settings
from contracts.topics import DEAD_LETTERS, INTERACTIONS, ITEMS, REKEYED, USERS
from learners import compare
from streams.interactions.unit import Interactions
from streams.kafka import offsets
from streams.kafka.partitioner import Partitioner
from streams.shards import NoTelemetry, send_nowhere

Parts = Mapping[str, bytes]
SHOWN = 3
CLOSE = 1e-6


class Left:
    """What a run has left, read once; so many lists may be stale."""

    def __init__(self, settings: Settings, stale: int) -> None:
        self.settings, self.stale = settings, stale
        topics = (INTERACTIONS, REKEYED, DEAD_LETTERS, USERS, ITEMS)
        self.log = logs.read(settings, [topic.name for topic in topics])
        self.saved: dict[str, Saved] = reading.read(settings)
        self.behind = 0

    @cached_property
    def wanted(self) -> dict[str, Parts]:
        """The parts that an undisturbed worker would have saved."""
        unit = logs.fold(self.settings, self.log)
        return _dumped(unit)

    @property
    def partitions(self) -> list[int]:
        """All of them."""
        return list(range(self.settings.partitions))

    @cached_property
    def events(self) -> dict[str, tuple[str, str]]:
        """User and item of each event by its id, as they stand in the log."""
        return {id_: (event["user"], event["item"]) for id_, event in self.told.items()}

    @cached_property
    def told(self) -> dict[str, dict[str, Any]]:
        """Each event by its id; what workers say of guests among them is none."""
        found = {}
        for partition in self.partitions:
            for record in self.log.records[INTERACTIONS.name, partition]:
                if not (record.value or b"").startswith(b"no event"):
                    event = msgspec.json.decode(record.value or b"")
                    if "event_id" in event:
                        found[event["event_id"]] = event
        return found


def offsets_stand_at_the_end(left: Left) -> Iterator[str]:
    """Kafka's committed offsets, and those of the snapshots, are the log's ends."""
    for at in offsets.progress(left.settings):
        if at.lag:
            yield f"{at.topic} {at.partition}: committed {at.committed}, the log ends at {at.end}"
    for partition in left.partitions:
        for topic in (INTERACTIONS.name, REKEYED.name):
            saved, end = left.saved.get(str(partition)), left.log.ends[topic, partition]
            stands = saved.manifest.offsets[topic][partition] if saved else None
            if stands != end:
                yield f"{topic} {partition}: the snapshot stands at {stands}, the log ends at {end}"


def every_event_counts_once(left: Left) -> Iterator[str]:
    """The count of each partition is that of the different events of its users in the log."""
    owner = Partitioner(left.settings.partitioner, left.settings.partitions)
    wanted = Counter(owner(user) for user, _ in left.events.values())
    for partition in left.partitions:
        saved = left.saved.get(str(partition))
        learned = msgspec.msgpack.decode(saved.parts["judged"])[0] if saved else None
        if learned != wanted[partition]:
            yield f"partition {partition}: {learned} events learned, {wanted[partition]} are there"


def users_are_as_undisturbed(left: Left) -> Iterator[str]:
    """Each user's history, its times and what was met are those of the undisturbed fold."""
    for partition in left.partitions:
        if (saved := left.saved.get(str(partition))) is None:
            continue
        found = reading.people(saved.parts)
        wanted = reading.people(left.wanted[str(partition)])
        wrong = [u for u in found.keys() | wanted.keys() if found.get(u) != wanted.get(u)]
        if wrong:
            some = [f"{u}: {found.get(u)}, not {wanted.get(u)}" for u in sorted(wrong)[:SHOWN]]
            yield f"partition {partition}: {len(wrong)} users differ, such as {'; '.join(some)}"


def guests_are_members(left: Left) -> Iterator[str]:
    """Who was a guest is nowhere; the member's history has all that both did, once each."""
    parts = [saved.parts for name, saved in left.saved.items() if name != SHARED]
    people = {name: person for part in parts for name, person in reading.people(part).items()}
    said = [msgspec.json.decode(r.value or b"") for r in left.log.records[USERS.name, 0]]
    member = {login["merge_from"]: login["user"] for login in said}
    wanted: dict[str, Counter[Any]] = {name: Counter() for name in member.values()}
    for event in left.told.values():
        whose = member.get(event["user"], event["user"])
        if whose in wanted:
            wanted[whose][event["item"], event["ts"]] += 1
    found = {name: people.get(name, reading.Person([], [], 0)) for name in wanted}
    held = {n: Counter(zip(p.history, p.when, strict=True)) for n, p in found.items()}
    if wrong := [name for name in wanted if held[name] != wanted[name]]:
        some = "; ".join(f"{n}: {held[n]}, not {wanted[n]}" for n in sorted(wrong)[:SHOWN])
        yield f"{len(wrong)} of {len(wanted)} members, or their guests, did otherwise: {some}"
    there = reading.lists(left.settings, list(member))
    if still := [guest for guest in member if guest in people or guest in there]:
        yield f"{len(still)} of {len(member)} guests are still there, such as {still[:SHOWN]}"


def items_are_as_undisturbed(left: Left) -> Iterator[str]:
    """Counts of items are exact, and decayed ones to 1e-6.

    With several partitions each worker finds for itself where taste has turned, some events apart:
    then what was learned in between counts a little more or less.
    """
    if SHARED not in left.saved:
        return
    found = reading.counts(left.saved[SHARED].parts)
    wanted = reading.counts(left.wanted[SHARED])
    true = Counter(item for _, item in left.events.values())
    both = {"found": left.saved[SHARED].parts, "wanted": left.wanted[SHARED]}
    apart = left.settings.partitions > 1 and any(map(compare.turned, both.values()))
    for whose, parts in both.items():
        if abs(gap := reading.gap(parts)) > CLOSE:  # nothing is let go: there is room for all
            yield f"all choices that are {whose} are more than those of each item by {gap:.3g}"
    for item in sorted(true.keys() | found.keys()):
        count = found.get(item, (0, 0.0))
        if count[0] != true[item]:
            yield f"{item}: counted {count[0]} times, chosen {true[item]} times"
        elif not (apart or np.isclose(count[1], wanted[item][1], rtol=CLOSE)):
            yield f"{item}: weighs {count[1]}, not {wanted[item][1]}"


def one_partition_is_identical(left: Left) -> Iterator[str]:
    """With one partition every byte of the state is that of the undisturbed fold."""
    if left.settings.partitions > 1 or not {SHARED, "0"} <= left.saved.keys():
        return
    found = _alike(left.settings, {name: saved.parts for name, saved in left.saved.items()})
    wanted = _alike(left.settings, left.wanted)
    for name, parts in wanted.items():
        differ = [part for part, data in parts.items() if found[name][part] != data]
        if differ:
            yield f"state '{name}' differs in {', '.join(differ)}"


def lists_are_fresh(left: Left) -> Iterator[str]:
    """Each user's list was made by the user's last event or later; `stale` may be older."""
    behind = []
    for partition in left.partitions:
        people = reading.people(left.wanted[str(partition)])
        there = reading.lists(left.settings, list(people))
        for user, person in people.items():
            given = there.get(user)
            if given is None or given.ts < person.when[0]:
                behind.append(f"{user} ({given.ts if given else 'none'}, not {person.when[0]})")
    left.behind = len(behind)
    if len(behind) > left.stale:
        some = ", ".join(behind[:SHOWN])
        yield f"{len(behind)} lists are older than their users' last events, such as {some}"


def hidden_items_are_nowhere(left: Left) -> Iterator[str]:
    """What `items` says is hidden is in no list, whosever it is."""
    said = [msgspec.json.decode(r.value or b"") for r in left.log.records[ITEMS.name, 0]]
    now = {told["item"]: told["hidden"] for told in said}
    hidden = {item for item, is_hidden in now.items() if is_hidden}
    if holding := reading.holding(left.settings, hidden):
        yield f"{len(holding)} lists hold what is hidden, such as {', '.join(holding[:SHOWN])}"


def keys_have_an_age(left: Left) -> Iterator[str]:
    """No key stays in Redis for ever."""
    if found := reading.ageless(left.settings):
        yield f"{len(found)} keys have no age, such as {', '.join(found[:SHOWN])}"


def dead_letters_are_all_there(left: Left) -> Iterator[str]:
    """What is no event is found in `dead-letters`, at least once."""
    letters = [msgspec.json.decode(r.value or b"") for r in left.log.records[DEAD_LETTERS.name, 0]]
    there = {base64.b64decode(letter["value_base64"]) for letter in letters}
    records = (r for p in left.partitions for r in left.log.records[INTERACTIONS.name, p])
    broken = {r.value for r in records if (r.value or b"").startswith(b"no event")}
    if missing := broken - there:
        yield f"{len(missing)} of {len(broken)} dead letters are missing"


CHECKS: tuple[Callable[[Left], Iterator[str]], ...] = (
    offsets_stand_at_the_end,
    every_event_counts_once,
    users_are_as_undisturbed,
    guests_are_members,
    items_are_as_undisturbed,
    one_partition_is_identical,
    lists_are_fresh,
    hidden_items_are_nowhere,
    keys_have_an_age,
    dead_letters_are_all_there,
)


def _alike(settings: Settings, states: Mapping[str, Parts]) -> dict[str, Parts]:
    """Return parts as a worker would save them that has just loaded these.

    What no state holds, such as which items wait for publishing, is then no difference.
    """
    unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
    unit.shared_load(states[SHARED])
    for partition in range(settings.partitions):
        unit.open(partition).load(states[str(partition)])
    return _dumped(unit)


def _dumped(unit: Interactions) -> dict[str, Parts]:
    shards = {shard.name: shard.dump() for shard in unit.shards.values()}
    return {SHARED: unit.shared_dump(), **shards}
