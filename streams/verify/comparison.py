"""A version beside the fold that comes to where it stands, part by part."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import msgspec

from contracts.control import FORGET
from contracts.topics import CONTROL, REKEYED
from learners import compare
from streams.control.schedule import Place, Schedule
from streams.interactions.moving import EMPTY
from streams.interactions.unit import Interactions
from streams.shards import Parts
from streams.verify.hindsight import Hindsight
from streams.verify.saved import Saved, within
from streams.worker.adopt_orders import CLOCKS_S
from streams.worker.loader import SHARED

EQUAL, DIFFERS, UNKNOWN = "equal", "differs", "cannot say"
ORDER = "re-keyed events came in between, and the log does not tell in which order"
FORGOTTEN = "somebody was forgotten, and what that leaves depends on where a worker replayed"
TURNED = "memory was shortened, at a place that depends on how partitions took turns"
LET_GO = "items were let go, in an order that no log tells"
GONE = "a rollback led to version {}, which is not there any longer"
LOST = "the orders that it has obeyed are not those of `control`"


class Finding(NamedTuple):
    """What became of comparing one part of one snapshot; `why` is empty where it is equal.

    `matters` is False where a difference is nothing wrong.
    """

    shard: str
    part: str
    outcome: str
    why: str = ""
    matters: bool = True


def finding(shard: str, part: str, same: bool, why: str, excuse: str = "") -> Finding:
    """Return what was found; with an excuse a difference says nothing.

    >>> finding("0", "users", False, "histories", "items were let go")[2:4]
    ('cannot say', 'items were let go')
    """
    if same:
        return Finding(shard, part, EQUAL)
    return Finding(shard, part, UNKNOWN, excuse) if excuse else Finding(shard, part, DIFFERS, why)


class Comparison:
    """Compares; the fold goes on meanwhile, from `base` or from the log's begin."""

    def __init__(
        self, hindsight: Hindsight, saved: Saved, base: Saved | None, schedule: Schedule
    ) -> None:
        self._hindsight, self._saved, self._base = hindsight, saved, base
        self._schedule = schedule
        self._partitions = range(len(saved.parts) - 1)
        self._several = len(self._partitions) > 1

    async def findings(self) -> list[Finding]:
        """Compare each partition where it was saved, and the items where they were.

        Whoever saved them may have stood elsewhere with a partition than its owner did.
        """
        shared = {p: self._saved.shared(p) for p in self._partitions}
        ahead = [p for p in self._partitions if not within(self._saved.own(p), shared[p])]
        found = await self._shards([p for p in self._partitions if p not in ahead], shared)
        items = self._items(shared)
        return found + await self._shards(ahead, shared) + items

    async def _shards(self, wanted: list[int], then: Mapping[int, Place]) -> list[Finding]:
        """Compare partitions as they come to where they were saved, and let them go on."""
        found: list[Finding] = []
        goals = {p: self._saved.own(p) if p in wanted else then[p] for p in self._partitions}
        while True:
            await self._hindsight.to(goals)
            there = [p for p in wanted if self._stands(p, self._saved.own(p))]
            if not there:
                break
            for partition in there:
                found += self._shard(partition)
                wanted.remove(partition)
                goals[partition] = then[partition]
        return found + [Finding(str(p), "users, intake, learned", UNKNOWN, LOST) for p in wanted]

    def _stands(self, partition: int, place: Place) -> bool:
        events = {topic: place[topic] for topic in Interactions.topics}
        return self._hindsight.stands(partition, events)

    def _shard(self, partition: int) -> list[Finding]:
        name, excuse = str(partition), self._excuse(partition)
        saved, folded = self._saved.parts[name], self._hindsight.at(partition).shard.dump()
        let_go = LET_GO if self._several and compare.evicted(self._saved.parts[SHARED]) else ""
        same, lists = compare.users(saved, folded)
        learned = [msgspec.msgpack.decode(parts["judged"])[0] for parts in (saved, folded)]
        quality = [parts[part] for parts in (saved, folded) for part in ("judged", "watcher")]
        find = partial(finding, name, excuse=excuse)
        aside = "as after idle time or a restart"
        return [
            finding(name, "users", same, "histories or what was seen", excuse or let_go),
            find("intake", saved["intake"] == folded["intake"], "duplicates or times"),
            find("guests", saved.get("guests", EMPTY) == folded["guests"], "who became whom"),
            find("learned", learned[0] == learned[1], f"{learned[0]}, the log says {learned[1]}"),
            find("lists", lists, aside)._replace(matters=False),
            find("quality", quality[:2] == quality[2:], aside)._replace(matters=False),
        ]

    def _excuse(self, partition: int) -> str:
        """Return why a partition's state may be another one than the log gives; empty if not."""
        begun, own = self._base.own(partition) if self._base else {}, self._saved.own(partition)
        if own[REKEYED.name] > begun.get(REKEYED.name, 0):
            return ORDER
        # A worker that has read the order passes events over before it comes to the place.
        read = self._saved.version.created + CLOCKS_S
        forgotten = any(
            order.asked.action == FORGET
            and order.position >= begun.get(CONTROL.name, 0)
            and (order.position < own[CONTROL.name] or order.asked.ts <= read)
            for order in self._schedule.concerning(Interactions.topics, partition)
        )
        return FORGOTTEN if forgotten else ""

    def _items(self, shared: Mapping[int, Place]) -> list[Finding]:
        saved, folded = self._saved.parts[SHARED], self._hindsight.unit.shared_dump()
        if not all(self._hindsight.stands(p, place) for p, place in shared.items()):
            return [Finding(SHARED, "items", UNKNOWN, LOST)]
        excuse = self._excuse_of_items(saved, folded)
        unlike = compare.items(saved, folded)
        if not unlike or not (self._several or excuse):
            return [finding(SHARED, "items", not unlike, ", ".join(unlike))]
        half_lives = self._hindsight.unit.model.rules.half_lives
        seen, decayed = compare.counts(saved, folded, half_lives)
        find = partial(finding, SHARED, excuse=excuse)
        return [
            find("counts of items", seen, "some were chosen more or less often"),
            find("popularity", decayed, "decayed counts differ by more than 1e-6"),
            find("segments", self._segments(saved, folded), "other ones, or they chose otherwise"),
            Finding(SHARED, "pairs, head", UNKNOWN, "partitions took turns", matters=False),
        ]

    def _segments(self, saved: Parts, folded: Parts) -> bool:
        rules = self._hindsight.unit.model.rules
        half_life = float(rules.half_lives[rules.baseline])
        return compare.segments(saved, folded, half_life, rules.baseline)

    def _excuse_of_items(self, saved: Parts, folded: Parts) -> str:
        if self._hindsight.gone:
            return GONE.format(self._hindsight.gone)
        let_go = self._several and (compare.evicted(saved) or compare.evicted(folded))
        turned = self._several and (compare.turned(saved) or compare.turned(folded))
        excuses = [self._excuse(p) for p in self._partitions]
        excuses += [LET_GO if let_go else "", TURNED if turned else ""]
        return next(filter(None, excuses), "")
