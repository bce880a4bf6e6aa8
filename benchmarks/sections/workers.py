"""Workers: what lists lose where several workers divide the partitions and follow each other."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.tally import row
from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from learners import quality
from streams import offline
from streams.interactions.unit import Interactions
from streams.kafka.partitioner import Partitioner
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere

PARTITIONS = 4
LAG = 100  # events: what others have learned is known so much later
SHARE = 0.98


def run(stream: Stream, args: Namespace) -> None:
    """Fold the stream with one worker and with one for each partition."""
    settings = ours.settings(ours.repeats(stream, args))
    settings = msgspec.structs.replace(settings, partitions=PARTITIONS, fresh_sample=1.0)
    found = {workers: _replay(stream, settings, workers) for workers in (1, PARTITIONS)}
    print(f"{PARTITIONS} partitions; others' events are learned up to {LAG} events later")
    for who in ("known", "all"):
        rows = [row({"workers": str(n), "events": who}, by[who]) for n, by in found.items()]
        print(figures.table(rows))
    for measure in ("hr_at_10", "mrr_at_20"):
        share = found[PARTITIONS]["all"][measure] / max(found[1]["all"][measure], 1e-9)
        print(f"{PARTITIONS} workers / 1, {measure} {share:.3f}, {figures.verdict(share, SHARE)}")


def _replay(stream: Stream, settings: Settings, workers: int) -> dict[str, dict[str, Any]]:
    units = [_unit(settings) for _ in range(workers)]
    own = [units[p % workers].open(p) for p in range(PARTITIONS)]
    others = [
        [u.follow(p) for u in units if u is not units[p % workers]] for p in range(PARTITIONS)
    ]
    for turn in _turns(stream, settings):
        for batch in turn:
            own[batch.partition].handle(batch)
        for batch in turn:  # afterwards: nobody knows of the others' at once
            for followed in others[batch.partition]:
                followed.handle(batch)
    return quality.report(sum((s.quality.total for s in own), quality.zeros()))["fresh"]


def _unit(settings: Settings) -> Interactions:
    return Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)


def _turns(stream: Stream, settings: Settings) -> Iterator[list[Batch]]:
    """Yield stretches of the stream, each cut by partition."""
    owner, offsets = Partitioner(settings.partitioner, PARTITIONS), [0] * PARTITIONS
    rows = iter(stream.rows)
    while some := list(islice(rows, LAG)):
        parts: list[list[PlainRecord]] = [[] for _ in range(PARTITIONS)]
        for event in some:
            partition = owner(event["user"])
            parts[partition].append(offline.record(offsets[partition], event))
            offsets[partition] += 1
        yield [Batch(INTERACTIONS.name, p, part) for p, part in enumerate(parts) if part]
