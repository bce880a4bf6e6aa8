"""Verify: the log is folded anew, by the worker's own code, and compared with what was saved.

Compared is what is a fold of the log and nothing else. Of each partition that are its users (their
histories, what they have seen), its intake (duplicates, times) and how much it learned. Items are
learned by all partitions of a worker in the order in which batches came, which no log tells: with
one partition they must be equal to the byte, with several their counts are compared. Lists and
figures of quality also depend on idle time and on restarts; where they differ it is only said.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from contracts.errors import InputError
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, REKEYED
from learners import compare
from state import versions
from state.manifest import Manifest
from state.opened import opened
from state.snapshots import Snapshots
from state.versions import Version
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.kafka import offsets
from streams.kafka.reading import records
from streams.shards import MAX_BATCH, Batch, NoTelemetry, Parts, send_nowhere
from streams.worker.adopt import check_log
from streams.worker.loader import SHARED
from streams.worker.startup import identify

EQUAL, DIFFERS, UNKNOWN = "equal", "differs", "cannot say"
ORDER = "re-keyed events came in between, and the log does not tell in which order"


class Finding(NamedTuple):
    """What became of comparing one part of one snapshot; `why` is empty where it is equal.

    `matters` is False where a difference is nothing wrong.
    """

    shard: str
    part: str
    outcome: str
    why: str = ""
    matters: bool = True


class Report(NamedTuple):
    """What was compared: the version, the one that the fold began at or "the log's begin"."""

    version: str
    begun_at: str
    findings: list[Finding]

    @property
    def equal(self) -> bool:
        """Whether all that matters is equal."""
        return all(f.outcome == EQUAL for f in self.findings if f.matters)


class Saved(NamedTuple):
    """A version with its parts by name."""

    version: Version
    parts: Mapping[str, Parts]

    def until(self, partition: int) -> int:
        """Return up to where a partition's shard had learned."""
        return self.version.shards[str(partition)].offsets[INTERACTIONS.name][partition]

    def shared_until(self, partition: int) -> int:
        """Return up to where the items had."""
        return self.version.shards[SHARED].offsets[INTERACTIONS.name].get(partition, 0)

    def rekeyed(self, partition: int) -> int:
        """Return up to where re-keyed events had been learned."""
        return self.version.shards[str(partition)].offsets[REKEYED.name].get(partition, 0)


def verify(settings: Settings, wanted: str = "") -> Report:
    """Compare a version, the newest complete one if none is named, with the log.

    Raises:
        InputError: there is no such version.
        StateRefused, TopicsDiffer: it belongs to another log, format or River.
        KafkaAway, RedisAway: no broker, or no Redis answers.
    """
    first = {
        at.partition: at.begin
        for at in offsets.progress(settings)
        if at.topic == settings.topic_prefix + INTERACTIONS.name
    }
    saved, base = asyncio.run(_read(settings, wanted, first))
    check_log(saved.version.shards, identify(settings, [Interactions]))
    report = Report(saved.version.name, base.version.name if base else "the log's begin", [])
    report.findings.extend(
        Finding(name, "models", UNKNOWN, "predictors are not compared", matters=False)
        for name in saved.version.shards
        if name != SHARED and not name.isdecimal()
    )
    if base is None and any(first.values()):
        report.findings.append(Finding("all", "all", UNKNOWN, _no_begin(saved, first)))
    else:
        _Fold(settings, saved, base).compare(report.findings)
    return report


def _no_begin(saved: Saved, first: Mapping[int, int]) -> str:
    return (
        f"the log begins at offsets {', '.join(f'{p}:{at}' for p, at in sorted(first.items()))}, "
        f"and no complete version is there between these and {saved.version.name}"
    )


class _Fold:
    """The state that the log gives, beside the one that was saved."""

    def __init__(self, settings: Settings, saved: Saved, base: Saved | None) -> None:
        self._settings = msgspec.structs.replace(settings, predictors={})
        self._saved, self._base = saved, base
        self._unit = Interactions(self._settings, NoTelemetry(), send_nowhere, send_nowhere)
        self._unit.shared_load(base.parts[SHARED] if base else {})
        self._vague = False  # whether items may have met another order of events

    def compare(self, out: list[Finding]) -> None:
        """Fold all partitions and compare each as soon as it stands where it was saved."""
        partitions = range(self._settings.partitions)
        for partition in partitions:
            shard = self._unit.open(partition)
            if self._base is not None:
                shard.load(self._base.parts[str(partition)])
        for partition in partitions:
            out.extend(self._partition(self._unit.shards[partition]))
        out.extend(self._items())

    def _partition(self, shard: InteractionsShard) -> list[Finding]:
        number, saved = shard.partition, self._saved
        start = self._base.until(number) if self._base else 0
        self._fold(shard, start, saved.until(number))
        rekeyed = self._base.rekeyed(number) if self._base else 0
        if saved.rekeyed(number) > rekeyed:
            self._vague = True
            found = [Finding(shard.name, "users, intake, learned", UNKNOWN, ORDER)]
        else:
            found = self._shard(shard.name, saved.parts[shard.name], shard.dump())
        self._fold(shard, saved.until(number), saved.shared_until(number))
        return found

    def _fold(self, shard: InteractionsShard, start: int, until: int) -> None:
        topic = INTERACTIONS.name
        for some in records(self._settings, topic, shard.partition, start, until):
            for at in range(0, len(some), MAX_BATCH):
                shard.handle(Batch(topic, shard.partition, some[at : at + MAX_BATCH]))

    def _shard(self, name: str, saved: Parts, folded: Parts) -> list[Finding]:
        let_go = len(self._unit.shards) > 1 and compare.evicted(self._saved.parts[SHARED]) > 0
        same, lists = compare.users(saved, folded)
        learned = [msgspec.msgpack.decode(parts["judged"])[0] for parts in (saved, folded)]
        quality = [parts[part] for parts in (saved, folded) for part in ("judged", "watcher")]
        find = partial(_finding, name)
        return [
            Finding(name, "users", UNKNOWN, "items were let go, in an order that no log tells")
            if let_go
            else find("users", same, "histories or what was seen"),
            find("intake", saved["intake"] == folded["intake"], "duplicates or times"),
            find("learned", learned[0] == learned[1], f"{learned[0]}, the log says {learned[1]}"),
            find("lists", lists, "as after idle time or a restart")._replace(matters=False),
            find("quality", quality[:2] == quality[2:], "as after idle time or a restart")._replace(
                matters=False
            ),
        ]

    def _items(self) -> list[Finding]:
        saved, folded = self._saved.parts[SHARED], self._unit.shared_dump()
        find = partial(_finding, SHARED)
        behind = [p for p in self._unit.shards if self._ahead(p)]
        if behind:
            what = ", ".join(map(str, behind))
            return [Finding(SHARED, "items", UNKNOWN, f"they were behind partitions {what}")]
        if self._vague:
            return [Finding(SHARED, "items", UNKNOWN, ORDER)]
        if len(self._unit.shards) == 1:
            unlike = compare.items(saved, folded)
            return [find("items", not unlike, ", ".join(unlike))]
        if compare.evicted(saved) or compare.evicted(folded):
            return [Finding(SHARED, "items", UNKNOWN, "some were let go, in an order of their own")]
        seen, decayed = compare.counts(saved, folded, self._unit.model.rules.half_lives)
        return [
            find("counts of items", seen, "some were chosen more or less often"),
            find("popularity", decayed, "decayed counts differ by more than 1e-6"),
            Finding(SHARED, "pairs, head", UNKNOWN, "partitions took turns", matters=False),
        ]

    def _ahead(self, partition: int) -> bool:
        return self._saved.until(partition) > self._saved.shared_until(partition)


def _finding(shard: str, part: str, same: bool, why: str) -> Finding:
    return Finding(shard, part, EQUAL) if same else Finding(shard, part, DIFFERS, why)


async def _read(
    settings: Settings, wanted: str, first: Mapping[int, int]
) -> tuple[Saved, Saved | None]:
    """Return the version to compare, and an older one to begin at where the log has no begin."""
    async with opened(settings) as store:
        found = await versions.read(store)
        chosen = versions.choose(found, wanted)
        for version in chosen:
            saved = await _load(store, version)
            if saved is not None:
                older = [v for v in found if v.created < version.created and v.complete]
                return saved, await _base(store, older, first) if any(first.values()) else None
    raise InputError(f"version {chosen[-1].name} was dropped, or is damaged; name another one")


async def _base(store: Snapshots, older: list[Version], first: Mapping[int, int]) -> Saved | None:
    for version in reversed(older):
        if all(_reached(version.shards, p) >= at for p, at in first.items()):
            saved = await _load(store, version)
            if saved is not None and not any(_apart(saved, p) for p in first):
                return saved
    return None


def _reached(shards: Mapping[str, Manifest], partition: int) -> int:
    return shards[str(partition)].offsets[INTERACTIONS.name].get(partition, 0)


def _apart(saved: Saved, partition: int) -> bool:
    """Tell whether items and users stand at different offsets, so that neither can go on alone."""
    return saved.until(partition) != saved.shared_until(partition)


async def _load(store: Snapshots, version: Version) -> Saved | None:
    parts: dict[str, Any] = {}
    for name, manifest in version.shards.items():
        if name == SHARED or name.isdecimal():
            found = await store.load(name, manifest)
            if found is None:
                return None
            parts[name] = found
    return Saved(version, parts)
