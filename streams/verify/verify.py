"""Verify: the log is folded anew, by the worker's own code, and compared with what was saved.

Compared is what is a fold of the log and nothing else. Of each partition that are its users (their
histories, what they have seen), its intake (duplicates, times) and how much it learned. Items learn
of all partitions in the order in which batches came, which no log tells: with one partition they
must be equal to the byte, with several their counts are compared. Lists and figures of quality also
depend on idle time and on restarts; where they differ it is only said.

Where more than the log decides, what is equal is equal, and of the rest it cannot say.
"""

import asyncio
from functools import partial
from typing import NamedTuple

import msgspec

from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from state.opened import opened
from streams.control.known import known
from streams.interactions.unit import Interactions
from streams.kafka import offsets
from streams.kafka.reading import records
from streams.verify import saved as choice
from streams.verify.comparison import EQUAL, UNKNOWN, Comparison, Finding
from streams.verify.hindsight import Hindsight, Sources
from streams.verify.saved import Saved
from streams.worker.adopt import check_log
from streams.worker.startup import identify


class Report(NamedTuple):
    """What was compared: the version, the one that the fold began at or "the log's begin"."""

    version: str
    begun_at: str
    findings: list[Finding]

    @property
    def equal(self) -> bool:
        """Whether all that matters is equal."""
        return all(f.outcome == EQUAL for f in self.findings if f.matters)


def verify(settings: Settings, wanted: str = "") -> Report:
    """Compare a version, the newest complete one if none is named, with the log.

    Raises:
        InputError: there is no such version.
        StateRefused, TopicsDiffer: it belongs to another log, format or River.
        KafkaAway, RedisAway: no broker, or no Redis answers.
    """
    return asyncio.run(_verify(settings, wanted))


async def _verify(settings: Settings, wanted: str) -> Report:
    log, schedule = identify(settings, [Interactions]), known(settings)
    bounds, read = offsets.bounds(settings), partial(records, settings)
    async with opened(settings) as store:
        sources = Sources(store, log, bounds, schedule, read)
        return await compared(settings, sources, wanted)


async def compared(settings: Settings, sources: Sources, wanted: str = "") -> Report:
    """Compare a version with a log, wherever both are."""
    store, bounds = sources.store, sources.bounds
    saved = await choice.find(store, wanted)
    check_log({name: saved.version.shards[name] for name in saved.parts}, sources.log)
    first = {p: bound.first for (topic, p), bound in bounds.items() if topic == INTERACTIONS.name}
    base = await choice.base(store, saved, first, sources.schedule) if any(first.values()) else None
    report = Report(saved.version.name, base.version.name if base else "the log's begin", [])
    report.findings.extend(
        Finding(name, "models", UNKNOWN, "predictors are not compared", matters=False)
        for name in saved.version.shards
        if name not in saved.parts
    )
    if base is None and any(first.values()):
        report.findings.append(Finding("all", "all", UNKNOWN, _no_begin(saved, first)))
        return report
    alone = msgspec.structs.replace(settings, predictors={})
    hindsight = Hindsight(alone, sources, base.version.name if base else "")
    comparison = Comparison(hindsight, saved, base, sources.schedule)
    report.findings.extend(await comparison.findings())
    return report


def _no_begin(saved: Saved, first: dict[int, int]) -> str:
    return (
        f"the log begins at offsets {', '.join(f'{p}:{at}' for p, at in sorted(first.items()))}, "
        f"and no complete version is there between these and {saved.version.name}"
    )
