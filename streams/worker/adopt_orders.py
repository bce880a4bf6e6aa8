"""Adopt orders: which of those in another `control` a state has obeyed.

It knows them by their positions, and these mean nothing in another log. Only where `control` was
mirrored with the events, the order before each position is there, and holds where the state has
been: then positions stay. Elsewhere the state has obeyed none of the orders that are there, and
will as their places come. What is neither is refused: it would skip orders, or obey old ones again.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from contracts.errors import StateRefused
from contracts.topics import CONTROL
from state.manifest import Manifest
from streams.control.schedule import Order, Place, Schedule
from streams.kafka.log_ends import Bounds

ANEW = "make the topic anew (delete it, then `headwater topics`) and import again"
CLOCKS_S = 60.0  # as far as the clocks of those who save and who give orders may lie apart


class Heard(NamedTuple):
    """What a snapshot has to do with the orders of a partition: `obeyed` are those before it."""

    schedule: Schedule
    manifest: Manifest
    partition: int
    obeyed: int

    @property
    def here(self) -> tuple[list[str], int]:
        """Topics and partition, as the schedule asks for them."""
        return list(self.manifest.log.topics), self.partition

    @property
    def orders(self) -> list[tuple[Order, Place]]:
        """Those that are there, and where they hold, or from where on they may."""
        ask = self.schedule
        return [
            (order, ask.marked(order, *self.here) or ask.given(order, *self.here))
            for order in ask.concerning(*self.here)
        ]

    @property
    def held(self) -> list[Order]:
        """Those whose place is marked where the state has been."""
        came = {t: at.get(self.partition, 0) for t, at in self.manifest.offsets.items()}
        return [
            order
            for order, place in self.orders
            if self.schedule.marked(order, *self.here)
            and all(at <= came.get(topic, 0) for topic, at in place.items())
        ]

    @property
    def agrees(self) -> bool:
        """Whether the last order that was obeyed may be the one there, by its place and time."""
        latest = self.manifest.created + CLOCKS_S
        last = [o for o in self.held if o.position == self.obeyed - 1 and o.asked.ts <= latest]
        return bool(last) or not self.obeyed


def same(manifests: Mapping[str, Manifest], schedule: Schedule) -> Mapping[str, Manifest]:
    """Return snapshots of the same events as they stand beside these orders.

    Raises:
        StateRefused: some hold where the state has been, and are not those that it has obeyed.
    """
    heard = list(_heard(manifests, schedule))
    if all(h.agrees for h in heard):
        return manifests
    if any(h.held for h in heard):
        raise StateRefused(
            "'control' has orders that hold where this state has been, and they are not those that "
            f"it has obeyed: mirror all of it with the events, or {ANEW}"
        )
    return {
        name: msgspec.structs.replace(m, offsets=m.offsets | _zero(m.offsets))
        for name, m in manifests.items()
    }


def check_start(
    manifests: Mapping[str, Manifest],
    schedule: Schedule,
    bounds: Mapping[tuple[str, int], Bounds],
) -> None:
    """Raise StateRefused if orders are from before the topics began: old ones would be obeyed."""
    for heard in _heard(manifests, schedule):
        for order, place in heard.orders:
            if any(at > bounds[topic, heard.partition].end for topic, at in place.items()):
                raise StateRefused(
                    f"order {order.asked.id} in 'control' holds beyond the end of partition "
                    f"{heard.partition}: it is about topics that were there before; {ANEW}"
                )


def _heard(manifests: Mapping[str, Manifest], schedule: Schedule) -> Iterator[Heard]:
    for manifest in manifests.values():
        for partition, obeyed in manifest.offsets.get(CONTROL.name, {}).items():
            yield Heard(schedule, manifest, partition, obeyed)


def _zero(offsets: Mapping[str, Mapping[int, int]]) -> dict[str, dict[int, int]]:
    return {CONTROL.name: dict.fromkeys(offsets.get(CONTROL.name, {}), 0)}
