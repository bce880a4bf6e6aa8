"""Whether memory stays flat: a worker at full capacity over millions of events.

make soak                     python -m benchmarks.soak [--events N]
"""

import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import figures, options, report, rig
from benchmarks.passers import passers
from benchmarks.working import Working, working
from contracts.errors import ServiceFailed
from contracts.metrics import EVICTIONS, STATE_SIZE
from contracts.settings import Settings
from contracts.topics import INTERACTIONS
from streams.kafka import topics
from streams.kafka.admin import admin
from streams.kafka.producer import Sender

SMALL = {"users_capacity": 5_000, "items_capacity": 5_000, "list_age_s": 15}  # users: a partition
RETENTION = {"retention.bytes": 64 << 20, "segment.bytes": 16 << 20}  # of a partition
BLOCK = 20_000
AHEAD = 20_000  # events that wait for the worker when the next block is made
LOOK_S = 0.5
WITHIN_S = 120.0
WARM_UP, SHARE = 0.1, 0.1  # of the events: not counted; compared with as many at the end
GROWTH = 0.05
LINES = 12
MB = 1e6


class Look(NamedTuple):
    """What stood at one time: seconds since the start, events learned, bytes, what was let go."""

    at: float
    learned: float
    worker: int
    redis: int
    redis_rss: int
    held: dict[str, float]
    gone: dict[str, float]


def main(args: Namespace) -> bool:
    """Send, look, and say whether the worker has grown."""
    print(f"soak: {figures.machine()}")
    with rig.rig() as bench:
        settings = bench.settings(partitions=args.partitions, **SMALL)
        looks = soak(bench, settings, args.events)
    _print(looks)
    return _verdict(looks, args.events)


def soak(bench: rig.Rig, settings: Settings, events: int) -> list[Look]:
    """Let a worker learn so many events as fast as it can; return what was seen meanwhile."""
    topics.ensure(settings)
    _keep_little(settings)
    looks: list[Look] = []
    with working(bench, settings) as worker:
        sender = Sender(settings, INTERACTIONS)
        for begin in range(0, events, BLOCK):
            for key, value in passers(begin, min(BLOCK, events - begin)):
                sender.send_bytes(key, value)
            _wait(bench, worker, looks, sender.handed - AHEAD)
        sender.finish()
        _wait(bench, worker, looks, events)
        worker.stop()
    return looks


def _keep_little(settings: Settings) -> None:
    """Let the broker forget soon: millions of events would fill the disk."""
    from kafka.admin import ConfigResource, ConfigResourceType

    config = {name: str(value) for name, value in RETENTION.items()}
    topic = topics.name(INTERACTIONS, settings)
    with admin(settings) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])


def _wait(bench: rig.Rig, worker: Working, looks: list[Look], learned: float) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        looks.append(_look(bench, worker))
        if len(looks) % 50 == 1:
            report.progress(f"{looks[-1].learned:,.0f} events, {looks[-1].worker / MB:.0f} MB")
        if looks[-1].learned >= learned:
            return
        if time.monotonic() > deadline:
            raise ServiceFailed(f"{learned:,.0f} events were not learned in {WITHIN_S:g} s more")
        time.sleep(LOOK_S)


def _look(bench: rig.Rig, worker: Working) -> Look:
    from redis import Redis

    moment = worker.now()
    with Redis.from_url(bench.services.redis_url) as redis:
        memory = redis.info("memory")
    return Look(
        moment.at - worker.begun,
        moment.learned,
        worker.rss(),
        int(memory["used_memory"]),
        int(memory["used_memory_rss"]),
        moment.samples.by(STATE_SIZE, "kind"),
        moment.samples.by(EVICTIONS, "kind"),
    )


def _print(looks: Sequence[Look]) -> None:
    every = max(1, len(looks) // LINES)
    shown = [*looks[:-1:every], looks[-1]]
    rows = [_row(before, look) for before, look in zip([None, *shown], shown, strict=False)]
    print("\n" + figures.table(rows))


def _row(before: Look | None, look: Look) -> dict[str, str]:
    since = look if before is None else before
    rate = (look.learned - since.learned) / max(look.at - since.at, 1e-9)
    return {
        "seconds": f"{look.at:.0f}",
        "events": f"{look.learned:,.0f}",
        "events/s": f"{rate:,.0f}",
        "worker MB": f"{look.worker / MB:.1f}",
        "Redis holds MB": f"{look.redis / MB:.1f}",
        "Redis MB": f"{look.redis_rss / MB:.1f}",
        "users, let go": f"{look.held.get('users', 0):,.0f}, {look.gone['users']:,.0f}",
        "items, let go": f"{look.held.get('items', 0):,.0f}, {look.gone['items']:,.0f}",
    }


def _verdict(looks: Sequence[Look], events: int) -> bool:
    """Compare a tenth after the warm-up with the last tenth; medians, as a save takes some."""
    begin, end = events * WARM_UP, events * (1.0 - SHARE)
    warm = [x for x in looks if x.learned >= begin]
    first = [x for x in warm if x.learned < begin + events * SHARE] or warm[:1]
    last = [x for x in looks if x.learned >= end]
    print(
        f"\nthe first {begin:,.0f} events are not counted; medians of the tenths after and at the"
    )
    worker, growth = _growth([x.worker for x in first], [x.worker for x in last])
    redis, _ = _growth([x.redis for x in first], [x.redis for x in last])
    print(f"end: worker {worker}, {figures.verdict(growth * 100, GROWTH * 100, True)}")
    print(f"Redis holds {redis}; highest worker {max(x.worker for x in looks) / MB:.1f} MB")
    return growth <= GROWTH


def _growth(first: Sequence[int], last: Sequence[int]) -> tuple[str, float]:
    before, after = statistics.median(first), statistics.median(last)
    growth = after / before - 1.0
    return f"{before / MB:.1f} MB, {after / MB:.1f} MB: {growth * 100:+.1f} %", growth


def _arguments() -> Namespace:
    parser = options.parser("soak", "a worker's memory over millions of events at full capacity")
    parser.add_argument("--events", type=int, default=10_000_000, metavar="N")
    parser.add_argument("--partitions", type=int, default=4, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("soak", main, _arguments()))
