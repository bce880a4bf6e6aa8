"""All partitions of `interactions` of a worker, and the items that they share.

This is the same code in a worker, in an offline replay and in tests.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from contracts import pipeline
from contracts.control import LISTS, clearable
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from learners import cleared, frozen
from learners.arrays import I32
from learners.attributes import Described
from learners.recommender import Recommender
from learners.still import Stills
from learners.users import Shape
from streams.interactions import gauges
from streams.interactions.gauges import Evictions
from streams.interactions.groups import GroupFigures
from streams.interactions.kinds import Attributes, Kinds
from streams.interactions.members import Members
from streams.interactions.misplaced import Misplaced
from streams.interactions.publishing import Publishing
from streams.interactions.scenarios import ScenarioLists
from streams.interactions.segments import SegmentLists
from streams.interactions.shard import InteractionsShard
from streams.shards import (
    Later,
    NoTelemetry,
    Parts,
    Send,
    Telemetry,
)


def recommender(settings: Settings, described: Described | None = None) -> Recommender:
    """Return an empty recommender as the settings shape it; `described` outlives it."""
    shape = Shape(
        items=settings.items_capacity,
        users=settings.users_capacity,
        history=settings.history_length,
        seen=settings.seen_length,
        length=settings.list_length,
    )
    learned, again = pipeline.read(settings.pipeline), settings.repeats == "learn"
    return Recommender(shape, learned, again, described=described)


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
        self._changed: I32 = np.empty(0, np.int32)
        self.hidden = frozenset[str]()
        given = pipeline.read(settings.pipeline)
        self._scenarios, self._kinds = given.scenarios, Kinds(given.scenarios)
        self._items, self._people = (
            Members({name: group for name, group in given.groups.items() if group.of == of})
            for of in ("items", "users")
        )
        self._described = Described() if given.generators.content is not None else None
        self._start_anew()
        self.shards: dict[int, InteractionsShard] = {}
        self._followed: dict[int, InteractionsShard] = {}

    def open(self, partition: int) -> InteractionsShard:
        """Return an empty state for a partition."""
        shard = InteractionsShard(
            partition, self._settings, self.model, self.publishing, self.scenarios, self.groups,
            self._telemetry, self._misplaced,
        )  # fmt: skip
        self.shards[partition] = shard
        return shard

    def follow(self, partition: int) -> InteractionsShard:
        """Return an empty state for a partition of another worker, which teaches the items here."""
        shard = InteractionsShard(
            partition, self._settings, self.model, self.publishing, self.scenarios, self.groups,
            NoTelemetry(), Misplaced(self._settings.partitioner), served=False,
        )  # fmt: skip
        self._followed[partition] = shard
        return shard

    def close(self, partition: int) -> None:
        """Drop a partition's state."""
        held = self.shards if partition in self.shards else self._followed
        self.model.close(held.pop(partition).users)

    def shared_still(self) -> Later:
        """Copy what all partitions share; what is returned makes its parts."""
        return partial(frozen.dump_items, self.model.pipeline, *self._stills.items(self.model))

    def shared_dump(self) -> Parts:
        """Return what all partitions share; what `shared_still` has copied stays."""
        return frozen.dump_items(self.model.pipeline, self.model.world, self.model.ids)

    def shared_load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `shared_dump` was called; without parts, at the beginning."""
        self._start_anew()
        if parts:
            frozen.load_items(self.model, parts)
        self.model.hide(self.hidden)
        self.publishing.mark_dirty(self.model.neighbours_of(self.hidden))
        self.scenarios.look()
        self.groups.look()

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
        self.model = recommender(self._settings, self._described)
        self.publishing = Publishing(self._settings, self._telemetry, self._send)
        self.scenarios = ScenarioLists(
            self._settings, self._scenarios, self._kinds, self.model, self.publishing
        )
        self.segments = SegmentLists(self._settings, self.model, self.publishing, self._telemetry)
        self.groups = GroupFigures(self._items, self._people, self.model, self.publishing)

    @property
    def every_s(self) -> float:
        """How often `tick` is to be called."""
        return self._settings.similar_every_s

    async def tick(self) -> None:
        """Publish what all partitions share, and show how the worker is doing."""
        gauges.show_quality(self._telemetry, [s.quality for s in self.shards.values()])
        gauges.show_state(self._telemetry, self.model)
        self.groups.look()
        self.groups.show(self._telemetry)
        users = [users.ids.evicted for users in self.model.served]
        self._evictions.show(self._telemetry, "users", users)
        self._evictions.show(self._telemetry, "items", [self.model.ids.evicted])
        await self.publishing.shared(self.model, self._send_aside)
        self.scenarios.look()
        await self.scenarios.publish_trending(self._send_aside)
        await self.segments.publish(self._send_aside)

    def describe(self, item: str, attributes: Attributes) -> None:
        """Know an item by these attributes, from the next tick on."""
        self._kinds.tell(item, attributes)
        self._items.tell(item, attributes)
        if self._described is not None:
            self._described.tell(item, attributes)

    def introduce(self, user: str, attributes: Attributes) -> None:
        """Know a user by these attributes."""
        self._people.tell(user, attributes)

    def hide(self, hidden: frozenset[str]) -> None:
        """Let these, and no others, be on nothing that is made from now on."""
        changed, self.hidden = self.hidden ^ hidden, hidden
        self.model.hide(hidden)
        self._changed = np.union1d(self._changed, self.model.neighbours_of(changed))

    async def republish(self) -> None:
        """Publish anew what is trending, and what goes with items that went with changed ones."""
        items, self._changed = self._changed.astype(np.int32), np.empty(0, np.int32)
        await self.publishing.at_once(self.model, items, self._send)
        await self.segments.publish_all(self._send)
