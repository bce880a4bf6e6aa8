"""Interactions: from the records of a batch to lists, event by event, partition by partition.

This is the same code in a worker, in an offline replay and in tests.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np

from contracts import metrics, pipeline
from contracts.control import LISTS, clearable
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from learners import cleared, frozen
from learners.arrays import I32, I64, Flags
from learners.batches import Events, Learned
from learners.quality import Quality
from learners.recommender import Recommender, Shape
from learners.step import ALONE, JUDGE, REMEMBER, TEACH
from learners.still import StillIds, Stills
from learners.watcher import HitWatcher
from streams.interactions import gauges, messages
from streams.interactions.actions import Actions
from streams.interactions.gauges import Evictions
from streams.interactions.intake import Intake, Taken
from streams.interactions.leaving import Leaving
from streams.interactions.misplaced import Misplaced
from streams.interactions.publishing import Publishing
from streams.interactions.refresh import OldLists
from streams.shards import Batch, Effects, Forgotten, Later, Message, Parts, Send, Telemetry

KNUTH = 2_654_435_761  # spreads consecutive numbers evenly over 32 bits


def recommender(settings: Settings) -> Recommender:
    """Return an empty recommender as the settings shape it."""
    shape = Shape(
        items=settings.items_capacity,
        users=settings.users_capacity,
        history=settings.history_length,
        seen=settings.seen_length,
        length=settings.list_length,
    )
    return Recommender(shape, pipeline.read(settings.pipeline), settings.repeats == "learn")


class InteractionsShard:
    """One partition: its users, its door and its judge; the items are shared with the others."""

    def __init__(
        self,
        partition: int,
        settings: Settings,
        model: Recommender,
        publishing: Publishing,
        telemetry: Telemetry,
        misplaced: Misplaced,
    ) -> None:
        self.name = str(partition)
        self.partition = partition
        self.quality = Quality()
        self.learned = 0
        self._model, self._publishing, self._telemetry = model, publishing, telemetry
        self._misplaced = misplaced
        self.users = model.open()
        self._intake = Intake(settings, partition, self.users.ids.knows)
        self._watcher = HitWatcher()
        self._actions = Actions(model.pipeline, settings.repeats)
        self._leaving = Leaving(
            settings, model, self.users, self._intake, self._actions, publishing
        )
        self._old = OldLists(settings, model, self.users)
        self._stills = Stills()
        self._fresh_below = settings.fresh_sample * 2**32

    def handle(self, batch: Batch) -> Effects:
        """Judge, learn and rank a batch; return what to send and the lists to publish."""
        start = time.perf_counter()
        taken = self._intake.take(batch)
        decoded = time.perf_counter()
        self._count(batch, taken)
        self._telemetry.observe(metrics.STAGE_SECONDS, decoded - start, stage="decode")
        if not taken.user:
            return Effects(taken.messages, None)
        versions = np.arange(self.learned + 1, self.learned + 1 + len(taken.user))
        events = Events(
            taken.user, taken.item, np.array(taken.ts), *self._actions(taken.action),
            self._sampled(versions), versions,
        )  # fmt: skip
        commands = self._learn(events, _mode(batch), taken.messages)
        self.learned += len(taken.user)
        return Effects(taken.messages, self._publishing.later(commands))

    def _learn(self, events: Events, mode: int, out: list[Message]) -> list[bytes]:
        """Learn events; return the commands for their lists and put drifts in `out`."""
        learning = rendering = 0.0
        commands: list[bytes] = []
        while events.user:
            start = time.perf_counter()
            learned = self._model.learn(self.users, events, mode)
            learned_at = time.perf_counter()
            if mode >= JUDGE:
                out += self._judge(learned, events)
            commands += self._publishing.lists(self._model, events, learned)
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
        return Effects((), self._publishing.later(self.refreshed(slots, self._model.latest)))

    def refreshed(self, slots: I32, now: float) -> list[bytes]:
        """Rank the lists of users anew, at a moment; return the commands that publish them."""
        lists = self._model.refresh(self.users, slots, now)
        self.users.rows.version[slots] = self.learned
        names = [self.users.ids.names[slot] for slot in slots.tolist()]
        return self._publishing.anew(self._model, lists, names, self.learned, now)

    def called(self, person: str) -> str:
        """Return the name of who has this alias, empty if nobody has."""
        return self._leaving.called(person)

    def asks_log(self, user: str) -> bool:
        """Tell whether the log may know more choices than the history."""
        return self._leaving.asks_log(user)

    def forget(
        self, user: str, past: Sequence[Batch] | None = None, shared_too: bool = True
    ) -> Forgotten:
        """Take a person out."""
        return self._leaving.forget(user, past, shared_too)

    def holds(self, user: str) -> dict[str, Any]:
        """Return all that is known of a user, empty for a stranger."""
        return self._leaving.holds(user)

    def _sampled(self, versions: I64) -> Flags:
        """Mark the events that are also judged on a fresh list: the same ones in every replay."""
        return (versions * KNUTH) % 2**32 < self._fresh_below

    def _judge(self, learned: Learned, events: Events) -> list[Message]:
        self.quality.add(learned.verdicts)
        found = []
        for change in self._watcher.watch(learned.verdicts.fresh):
            self._telemetry.count(metrics.DRIFTS, model="lists")
            found.append(
                messages.drift(
                    "lists",
                    {
                        "partition": self.partition,
                        "from": change.before,
                        "to": change.after,
                        "ts": float(events.ts[change.event]),
                    },
                )
            )
        return found

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
        judged = (self.learned, self.quality.total.tolist())
        parts = {
            "intake": self._intake.dump(),
            "judged": msgspec.msgpack.encode(judged),
            "watcher": self._watcher.dump(),
        }
        users, items = self._stills.users(self.users), StillIds(self._model.ids)
        return lambda: {**parts, **frozen.dump_users(users, items)}

    def dump(self) -> Parts:
        """Return the partition's state in named parts."""
        return self.still()()

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `dump` was called; the parts must be from a signed snapshot."""
        self._intake.load(parts["intake"])
        self.learned, total = msgspec.msgpack.decode(parts["judged"], type=tuple[int, Any])
        self.quality.total[:] = total
        self._watcher.load(parts["watcher"])
        frozen.load_users(self.users, self._model.ids, parts)


def _mode(batch: Batch) -> int:
    frozen_then = LISTS in batch.frozen
    if batch.known_to_shared:
        return ALONE if frozen_then else REMEMBER
    return JUDGE if frozen_then else TEACH


class Interactions:
    """All partitions of `interactions` that a worker owns, and the items they share."""

    topics = (INTERACTIONS.name, REKEYED.name)
    models = (LISTS,)

    def __init__(
        self, settings: Settings, telemetry: Telemetry, send: Send, send_aside: Send
    ) -> None:
        """`send` publishes the lists of a batch, `send_aside` what changes beside them."""
        self._settings, self._telemetry = settings, telemetry
        self._send_aside = send_aside
        self._evictions, self._stills = Evictions(), Stills()
        self._misplaced = Misplaced(settings.partitioner)
        self._send = send
        self._start_anew()
        self.shards: dict[int, InteractionsShard] = {}

    def open(self, partition: int) -> InteractionsShard:
        """Return an empty state for a partition."""
        shard = InteractionsShard(
            partition, self._settings, self.model, self.publishing, self._telemetry,
            self._misplaced,
        )  # fmt: skip
        self.shards[partition] = shard
        return shard

    def close(self, partition: int) -> None:
        """Drop a partition's state."""
        self.model.close(self.shards.pop(partition).users)

    def shared_still(self) -> Later:
        """Copy what all partitions share; what is returned makes its parts."""
        return partial(frozen.dump_items, self.model.pipeline, *self._stills.items(self.model))

    def shared_dump(self) -> Parts:
        """Return what all partitions share."""
        return self.shared_still()()

    def shared_load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `shared_dump` was called; without parts, at the beginning."""
        self._start_anew()
        if parts:
            frozen.load_items(self.model, parts)

    @property
    def learners(self) -> tuple[str, ...]:
        """What can be cleared: the parts of the pipeline that learn, and all of them together."""
        return clearable(self.model.pipeline)

    def clear(self, learner: str) -> None:
        """Take away what a part of the pipeline has learned."""
        for name in self.learners if learner == LISTS else (learner,):
            if name != LISTS:
                cleared.clear(self.model, name)

    def _start_anew(self) -> None:
        """Have an empty model, and a publisher that knows no slot of the one before."""
        self.model = recommender(self._settings)
        self.publishing = Publishing(self._settings, self._telemetry, self._send)

    @property
    def every_s(self) -> float:
        """How often `tick` is to be called."""
        return self._settings.similar_every_s

    async def tick(self) -> None:
        """Publish what all partitions share, and show how the worker is doing."""
        gauges.show_quality(self._telemetry, [s.quality for s in self.shards.values()])
        gauges.show_state(self._telemetry, self.model)
        users = [users.ids.evicted for users in self.model.partitions]
        self._evictions.show(self._telemetry, "users", users)
        self._evictions.show(self._telemetry, "items", [self.model.ids.evicted])
        await self.publishing.shared(self.model, self._send_aside)
