"""One partition of interactions: from the records of a batch to lists, event by event.

This is the same code in a worker, in an offline replay and in tests.
"""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

import msgspec
import numpy as np

from contracts import metrics
from contracts.control import LISTS
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from learners import frozen
from learners.arrays import I32, I64, Flags
from learners.batches import Events, Learned
from learners.quality import Quality
from learners.recommender import Recommender
from learners.step import ALONE, JUDGE, REMEMBER, TEACH
from learners.still import StillIds, Stills
from learners.watcher import HitWatcher
from state.lists import Cut
from state.misses import Wanted
from streams.interactions import messages
from streams.interactions.actions import Actions
from streams.interactions.groups import GroupFigures
from streams.interactions.guests import Found
from streams.interactions.hiding import Holders
from streams.interactions.intake import Intake, Taken
from streams.interactions.leaving import Leaving
from streams.interactions.misplaced import Misplaced
from streams.interactions.moving import Moving
from streams.interactions.publishing import Publishing
from streams.interactions.reception import Reception
from streams.interactions.refresh import OldLists
from streams.interactions.scenarios import ScenarioLists
from streams.shards import (
    Batch,
    Effects,
    Forgotten,
    Later,
    Message,
    Parts,
    Publish,
    Telemetry,
)

KNUTH = 2_654_435_761  # spreads consecutive numbers evenly over 32 bits


class InteractionsShard:
    """One partition: its users, its door and its judge; the items are shared with the others.

    Users of a partition that is followed are not `served`: they only teach.
    """

    def __init__(
        self,
        partition: int,
        settings: Settings,
        model: Recommender,
        publishing: Publishing,
        scenarios: ScenarioLists,
        groups: GroupFigures,
        telemetry: Telemetry,
        misplaced: Misplaced,
        served: bool = True,
    ) -> None:
        self.name = str(partition)
        self.partition = partition
        self.quality = Quality()
        self.learned = 0
        self._model, self._publishing, self._telemetry = model, publishing, telemetry
        self._scenarios, self._groups, self._misplaced = scenarios, groups, misplaced
        self.users = model.open(served)
        self._asked = scenarios.asked(self.users)
        self._intake = Intake(settings, partition, self.users.ids.knows)
        self._watcher = HitWatcher()
        self._actions = Actions(model.pipeline, settings.repeats)
        self._leaving = Leaving(
            self.name, settings, model, self.users, self._intake, self._actions, publishing
        )
        self._moving = Moving(settings, partition, model, self.users)
        self.guests = Reception(self.users, self._intake, self._moving)
        self._old = OldLists(settings, model, self.users)
        self._holders = Holders(model, self.users)
        self._stills = Stills()
        self._fresh_below = settings.fresh_sample * 2**32

    def handle(self, batch: Batch) -> Effects:
        """Judge, learn and rank a batch; return what to send and the lists to publish."""
        start = time.perf_counter()
        taken = self._intake.take(batch)
        decoded = time.perf_counter()
        self._count(batch, taken)
        self._telemetry.observe(metrics.STAGE_SECONDS, decoded - start, stage="decode")
        if not (taken.user or taken.moves):
            return Effects(taken.messages, None)
        versions = np.arange(self.learned + 1, self.learned + 1 + len(taken.user))
        events = Events(
            taken.user, taken.item, np.array(taken.ts), *self._actions(taken.action),
            self._sampled(versions), versions, taken.context,
        )  # fmt: skip
        return Effects(taken.messages, self._publishing.later(self._fold(batch, taken, events)))

    def _fold(self, batch: Batch, taken: Taken, events: Events) -> list[bytes]:
        """Learn events and move guests, in order; return the commands for their lists."""
        commands, done = list[bytes](), 0
        for at, found in taken.moves:
            commands += self._learn(events.first(at - done), batch, taken.messages)
            commands += self._move(found, batch, taken.messages)
            events, done = events.after(at - done), at
        return commands + self._learn(events, batch, taken.messages)

    def _move(self, found: Found, batch: Batch, out: list[Message]) -> list[bytes]:
        """Do what a message about a guest says; return the commands for lists."""
        moved = self._moving.take(found, shared_too=not batch.known_to_shared)
        out += moved.messages
        self._publishing.mark_dirty(moved.dirty)
        if not self.users.served:
            return []
        named, commands = self._scenarios.scenarios, list[bytes]()
        if moved.gone:
            commands += self._publishing.nothing_of(moved.gone, self.name, named)
        if moved.slot < 0:
            return commands
        now = max(self._model.latest, float(self.users.rows.when[moved.slot, 0]))
        return commands + self.refreshed(np.array([moved.slot], np.int32), now)

    def _learn(self, events: Events, batch: Batch, out: list[Message]) -> list[bytes]:
        """Learn events; return the commands for their lists and put drifts in `out`."""
        if not events.user:
            return []
        mode, rekeyed, learning, rendering = _mode(batch), batch.topic == REKEYED.name, 0.0, 0.0
        commands: list[bytes] = []
        self.learned += len(events.user)
        while events.user:
            start = time.perf_counter()
            before = self._groups.before(events.item)
            learned = self._model.learn(self.users, events, mode)
            learned_at = time.perf_counter()
            if mode >= JUDGE and self.users.served:
                out += self._judge(learned, events)
            commands += self._publishing.lists(self._model, events, learned)
            if mode >= JUDGE and self.users.served:
                self._groups.add(self.users, events, learned, before)
            latest = int(events.version[len(learned.user) - 1])
            commands += self._of_scenarios(learned.user[learned.lists.event], latest)
            self._holders.note(learned.user)
            self.users.rows.rekeyed[learned.user] = rekeyed
            events = events.after(len(learned.user))
            learning += learned_at - start
            rendering += time.perf_counter() - learned_at
        self._telemetry.observe(metrics.STAGE_SECONDS, learning, stage="learn")
        self._telemetry.observe(metrics.STAGE_SECONDS, rendering, stage="render")
        return commands

    def refresh(self) -> Effects:
        """Rank some lists anew that have grown old; the effects publish them."""
        slots = self._old.next(self.learned)
        if not len(slots):
            return Effects()
        publish = self._publishing.later(self.refreshed(slots, self._model.latest))

        async def publish_and_note() -> None:
            await publish()
            self._old.published()

        return Effects((), publish_and_note)

    def refreshed(self, slots: I32, now: float) -> list[bytes]:
        """Rank the lists of users anew, at a moment; return the commands that publish them."""
        lists = self._model.refresh(self.users, slots, now)
        self.users.rows.version[slots] = self.learned
        self._holders.note(slots)
        self._groups.given(self.users, slots, lists)
        names = [self.users.ids.names[slot] for slot in slots.tolist()]
        commands = self._publishing.anew(self._model, lists, names, self.learned, now)
        return commands + self._of_scenarios(slots, self.learned)

    def _of_scenarios(self, slots: I32, version: int) -> list[bytes]:
        return self._scenarios.lists(self.users, slots, self._asked, version)

    def ask(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Have these lists of scenarios made from now on; return those that are made here."""
        return self._asked.note(wanted)

    def answer(self, wanted: Sequence[Wanted]) -> Publish:
        """Return what publishes lists that were asked for; who was let go since has none."""
        slots = np.unique(self.users.ids.find_all([one.user for one in wanted]))
        return self._publishing.later(self._of_scenarios(slots[slots >= 0], self.learned))

    def unlist(self, gone: Set[str], back: Set[str]) -> Publish:
        """Return what takes items out of the lists that stand there; others come back soon."""
        self._old.ask(self._holders.listing(gone | back))
        return self._publishing.cut(partial(self._cuts, gone), self.learned)

    def _cuts(self, gone: Set[str]) -> Iterator[Cut]:
        yield from self._holders.cuts(gone)
        yield from self._scenarios.cuts(self.users, self._asked, gone)

    def called(self, person: str) -> str:
        """Return the name of who has this alias, empty if nobody has."""
        return self._leaving.called(person) or self._moving.called(person)

    def asks_log(self, user: str) -> bool:
        """Tell whether the log may know more choices than the history."""
        return self._leaving.asks_log(user)

    def forget(
        self, user: str, past: Sequence[Batch] | None = None, shared_too: bool = True
    ) -> Forgotten:
        """Take a person out."""
        forgotten = self._leaving.forget(user, past, shared_too)
        return forgotten._replace(guests=self._moving.forget(user))

    def holds(self, user: str) -> dict[str, Any]:
        """Return all that is known of a user, empty for a stranger."""
        return self._leaving.holds(user)

    def _sampled(self, versions: I64) -> Flags:
        """Mark the events that are also judged on a fresh list: the same ones in every replay."""
        return (versions * KNUTH) % 2**32 < self._fresh_below

    def _judge(self, learned: Learned, events: Events) -> list[Message]:
        self.quality.add(learned.verdicts)
        here, turn = self.partition, learned.verdicts.turn
        found = {
            2 * k: messages.turn(here, tuple(turn[k].tolist()), float(events.ts[k]))
            for k in np.flatnonzero(turn[:, 0]).tolist()
        }
        for change in self._watcher.watch(learned.verdicts.fresh):
            ts = float(events.ts[change.event])
            found[2 * change.event + 1] = messages.fall(here, change, ts)
        self._telemetry.count(metrics.DRIFTS, len(found), model=LISTS)
        return [found[place] for place in sorted(found)]

    def _count(self, batch: Batch, taken: Taken) -> None:
        self._telemetry.observe(metrics.BATCH_EVENTS, len(batch.records))
        for outcome, n in taken.outcomes.items():
            self._telemetry.count(metrics.EVENTS, n, topic=batch.topic, outcome=outcome)
        if batch.topic == INTERACTIONS.name:
            self._misplaced.add(len(batch.records) - taken.outcomes["dead_letter"], taken.causes)
        for reason, n in taken.reasons.items():
            self._telemetry.count(metrics.DEAD_LETTERS, n, reason=reason)

    def still(self) -> Later:
        """Copy the state; what is returned makes its parts."""
        own, users, items = self._own(), self._stills.users(self.users), StillIds(self._model.ids)
        return lambda: {**own, **frozen.dump_users(users, items)}

    def dump(self) -> Parts:
        """Return the partition's state in named parts; what `still` has copied stays."""
        return {**self._own(), **frozen.dump_users(self.users, self._model.ids)}

    def _own(self) -> dict[str, bytes]:
        judged = (self.learned, self.quality.total.tolist())
        return {
            "intake": self._intake.dump(),
            "judged": msgspec.msgpack.encode(judged),
            "watcher": self._watcher.dump(),
            "guests": self._moving.dump(),
        }

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `dump` was called; the parts must be from a signed snapshot."""
        self._intake.load(parts["intake"])
        self.learned, total = msgspec.msgpack.decode(parts["judged"], type=tuple[int, Any])
        self.quality.total[:] = total
        self._watcher.load(parts["watcher"])
        self._moving.load(parts)
        frozen.load_users(self.users, self._model.ids, parts)
        self._holders.note_all()


def _mode(batch: Batch) -> int:
    frozen_then = LISTS in batch.frozen
    if batch.known_to_shared:
        return ALONE if frozen_then else REMEMBER
    return JUDGE if frozen_then else TEACH
