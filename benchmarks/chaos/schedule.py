"""The schedule: which faults befall what, when and for how long; a seed gives one schedule."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

WORKER, REDIS, KAFKA = "worker", "redis", "kafka"
REST_S = {WORKER: 8.0, REDIS: 3.0, KAFKA: 4.0}  # between two faults; it must get to work again
QUIET_S = 2.0  # before the first fault


class Kind(NamedTuple):
    """One kind of fault: whom it befalls, its share of all, how long it lasts, what it is."""

    target: str
    share: int
    shortest_s: float
    longest_s: float
    means: str


KINDS = {
    "kill": Kind(WORKER, 5, 0.0, 3.0, "SIGKILL, started again after the time"),
    "term": Kind(WORKER, 3, 0.0, 3.0, "SIGTERM, started again after the time"),
    "freeze": Kind(WORKER, 3, 1.0, 14.0, "SIGSTOP, SIGCONT after the time"),
    "clock": Kind(WORKER, 1, 1.0, 5.0, "time.time() jumps by up to two hours, and back"),
    "redis-kill": Kind(REDIS, 3, 0.0, 4.0, "SIGKILL, started again with its append-only file"),
    "redis-tail": Kind(REDIS, 3, 0.0, 3.0, "SIGKILL, the file's last second is cut off"),
    "redis-reset": Kind(REDIS, 3, 0.0, 2.0, "all connections reset, none made for the time"),
    "redis-stall": Kind(REDIS, 1, 1.0, 5.0, "no byte passes for the time"),
    "redis-full": Kind(REDIS, 1, 1.0, 5.0, "maxmemory reached: Redis takes no write"),
    "redis-disk": Kind(REDIS, 1, 2.0, 5.0, "its file cannot grow, as on a full disk"),
    "kafka-kill": Kind(KAFKA, 2, 0.0, 4.0, "SIGKILL, started again with its log"),
    "kafka-reset": Kind(KAFKA, 2, 0.0, 2.0, "all connections reset, none made for the time"),
    "kafka-stall": Kind(KAFKA, 1, 1.0, 5.0, "no byte passes for the time"),
}


class Fault(NamedTuple):
    """One fault: `at_s` after the begin something befalls `target` for `lasts_s`."""

    at_s: float
    kind: str
    target: str
    lasts_s: float

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.kind:<12} {self.target:<8} for {self.lasts_s:.1f} s"


def plan(
    seed: int, seconds: float, faults: int, workers: int, kinds: Sequence[str] = tuple(KINDS)
) -> list[Fault]:
    """Return up to `faults` faults in order of time; nothing is befallen by two at once.

    >>> plan(1, 60, 20, 1) == plan(1, 60, 20, 1) != plan(2, 60, 20, 1)
    True
    """
    random = Random(seed)  # noqa: S311 - a schedule, no secret
    times = sorted(random.uniform(QUIET_S, max(QUIET_S, seconds)) for _ in range(faults))
    free = {WORKER + str(n): 0.0 for n in range(1, workers + 1)} | {REDIS: 0.0, KAFKA: 0.0}
    planned = []
    for at in times:
        name = random.choices(kinds, [KINDS[name].share for name in kinds])[0]
        kind, drawn = KINDS[name], random.random()
        target = random.choice([t for t in free if t.startswith(kind.target)])
        lasts = kind.shortest_s + drawn**2 * (kind.longest_s - kind.shortest_s)
        begin = max(at, free[target])
        free[target] = begin + lasts + REST_S[kind.target]
        planned.append(Fault(round(begin, 1), name, target, round(lasts, 1)))
    return sorted(fault for fault in planned if fault.at_s <= seconds)
