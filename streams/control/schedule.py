"""Which orders there are, in the order of `control`, and where in each partition they hold.

The first mark of a partition counts: it is in the log, so every reader finds the same one first.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from contracts.control import FORGET, FREEZE, MARK, THAW, Control
from streams.shards import Void

Place = Mapping[str, int]  # topic -> the first offset that comes after


class Order(NamedTuple):
    """An order and its offset in `control`."""

    position: int
    asked: Control


class Schedule:
    """Orders by offset; add messages in the order of the log.

    >>> schedule = Schedule()
    >>> schedule.add(3, Control("a", "freeze", {"interactions": {0: 7}}, 0.0))
    >>> order = schedule.after(("interactions",), 0, position=0)
    >>> order.position, schedule.marked(order, ("interactions",), 0)
    (3, None)
    >>> schedule.add(4, Control("a", "mark", {"interactions": {0: 9}}, 0.0))
    >>> schedule.marked(order, ("interactions",), 0)
    {'interactions': 9}
    """

    def __init__(self) -> None:
        self._orders: list[Order] = []
        self._by_id: dict[str, Order] = {}
        self._marks: dict[tuple[int, str, int], int] = {}

    def __contains__(self, id_: object) -> bool:
        """Tell whether there is an order of this id."""
        return id_ in self._by_id

    def add(self, position: int, message: Control) -> None:
        """Take a message; what was there before, or marks nothing, changes nothing."""
        known = self._by_id.get(message.id)
        if message.action == MARK:
            if known is not None:
                self._mark(known, message)
        elif known is None and not (self._orders and self._orders[-1].position >= position):
            self._by_id[message.id] = Order(position, message)
            self._orders.append(self._by_id[message.id])

    def _mark(self, order: Order, mark: Control) -> None:
        for topic, offsets in mark.at.items():
            for partition, offset in offsets.items():
                self._marks.setdefault((order.position, topic, partition), offset)

    def concerning(self, topics: Sequence[str], partition: int) -> list[Order]:
        """Return the orders that concern a shard."""
        return list(_concerning(self._orders, topics, partition))

    def after(self, topics: Sequence[str], partition: int, position: int) -> Order | None:
        """Return the first order from a position of `control` on that concerns a shard."""
        begin = bisect_left(self._orders, position, key=lambda order: order.position)
        return next(_concerning(self._orders[begin:], topics, partition), None)

    def given(self, order: Order, topics: Sequence[str], partition: int) -> Place:
        """Return what a shard must have come to before it obeys."""
        return {topic: order.asked.at.get(topic, {}).get(partition, 0) for topic in topics}

    def marked(self, order: Order, topics: Sequence[str], partition: int) -> Place | None:
        """Return where an order holds in a shard; None while nobody has said so."""
        places = {topic: self._marks.get((order.position, topic, partition)) for topic in topics}
        return {t: at for t, at in places.items() if at is not None} or None

    def frozen(
        self, models: Iterable[str], topics: Sequence[str], partition: int, position: int
    ) -> frozenset[str]:
        """Return which of these models are frozen once all orders before a position are obeyed."""
        end = bisect_left(self._orders, position, key=lambda order: order.position)
        frozen: set[str] = set()
        for order in _concerning(self._orders[:end], topics, partition):
            about = {m for m in models if order.asked.learner in ("", m)}
            if order.asked.action == FREEZE:
                frozen |= about
            elif order.asked.action == THAW:
                frozen -= about
        return frozenset(frozen)

    def floor(self, topics: Sequence[str], partition: int, position: int) -> int:
        """Return the position behind the last order before this one to forget somebody."""
        end = bisect_left(self._orders, position, key=lambda order: order.position)
        before = list(_concerning(self._orders[:end], topics, partition))
        return max((o.position + 1 for o in before if o.asked.action == FORGET), default=0)

    def frozen_from(
        self, models: Sequence[str], topics: Sequence[str], partition: int
    ) -> dict[str, list[tuple[int, frozenset[str]]]]:
        """Return, by topic, from which offsets on which of these models were frozen, rising."""
        found = {topic: [(0, frozenset[str]())] for topic in topics}
        for order in self.concerning(topics, partition):
            if order.asked.action in (FREEZE, THAW):
                frozen = self.frozen(models, topics, partition, order.position + 1)
                for topic, offset in (self.marked(order, topics, partition) or {}).items():
                    found[topic].append((offset, frozen))
        return found

    def void(
        self, topics: Sequence[str], partition: int, before: int | None = None
    ) -> dict[str, Void]:
        """Return which events of whom are void in a shard, by the orders before a position.

        Where nobody has said yet where an order holds, those are that it asks for at least: what
        comes in between is learned, and then forgotten.
        """
        found: dict[str, Void] = {}
        for order in self.concerning(topics, partition):
            if order.asked.action == FORGET and (before is None or order.position < before):
                place = self.marked(order, topics, partition)
                until = place or self.given(order, topics, partition)
                found[order.asked.person] = Void(until, order.asked.ends)
        return found


def _concerning(orders: Sequence[Order], topics: Sequence[str], partition: int) -> Iterator[Order]:
    return (o for o in orders if any(partition in o.asked.at.get(topic, {}) for topic in topics))
