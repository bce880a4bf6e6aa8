"""Runs one chaos: services, workers, a producer, the faults; then peace, the end, the verdict."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.chaos import saved
from benchmarks.chaos.checker import Left
from benchmarks.chaos.crew import Crew, Tell
from benchmarks.chaos.faults import Chaos
from benchmarks.chaos.producer import GUESTS, Producing
from benchmarks.chaos.schedule import Fault
from benchmarks.chaos.site import Site, site
from benchmarks.chaos.verdict import Verdict, judged, summary
from benchmarks.chaos.watch import Watch
from contracts.errors import KafkaAway, ServiceFailed
from contracts.settings import Settings
from streams.kafka import offsets, topics

READY_S, PEACE_S = 180.0, 120.0
LOOK_S = 0.5
FOLLOWING_S = 1.0  # workers learn of each other's events so much later at most


class Plan(NamedTuple):
    """What is to be run: a schedule, how many workers and partitions, events per second, a bug.

    `guests` is the share of events that is done by guests.
    """

    faults: list[Fault]
    seconds: float
    seed: int
    workers: int = 1
    partitions: int = 1
    rate: float = 400.0
    bug: str = ""
    guests: float = GUESTS


class Run:
    """One run in a folder, with its services and workers."""

    def __init__(self, plan: Plan, here: Site, folder: Path, tell: Tell) -> None:
        self._plan, self._here, self._tell = plan, here, tell
        self.settings = Settings(
            kafka=here.kafka,
            redis=here.redis,
            partitions=plan.partitions,
            snapshot_key="for this chaos only",
            snapshot_every_s=1.0,
            # In idle time lists would be ranked anew: what was judged then depends on the clock.
            refresh_share=0.0,
            metrics_port=0,
            home=str(folder / "home"),
        )
        topics.ensure(self.settings)
        self.crew = Crew(folder, self.settings, plan.workers, plan.bug, tell)
        self.watch = Watch(msgspec.structs.replace(self.settings, redis=here.direct))

    def go(self) -> Verdict:
        """Let it all happen and judge what is left."""
        plan = self._plan
        _until(lambda: all(w.ready for w in self.crew.workers.values()), READY_S, "workers start")
        producing = Producing(self.settings, plan.seed, plan.rate, plan.guests)
        chaos = Chaos(self._here, self.crew, self.watch, plan.seed, self._tell)
        begun = time.monotonic()
        chaos.run(plan.faults)
        time.sleep(max(0.0, begun + plan.seconds - time.monotonic()))
        unsent = producing.stop()
        self._tell(
            f"{summary(chaos.happened)}; {producing.sent} messages sent, "
            f"{len(producing.members)} guests became members"
        )
        if unsent:
            raise ServiceFailed(f"the broker did not take {unsent} messages; the run says nothing")
        guests = list(producing.members)
        took = _until(lambda: self._all_counts(guests), PEACE_S, "")
        time.sleep(FOLLOWING_S)
        self.crew.stop()
        self.watch.stop()
        self._tell(
            f"all counted {took:.1f} s after the last; {self.watch.snapshots} snapshots seen; "
            f"graceful ends took up to {max(self.crew.ends_s, default=0.0):.1f} s"
        )
        left = Left(self.settings, stale=0)
        verdict = judged(left, self.watch.wrong, self.crew.failures)
        self._tell(f"{len(left.events)} different events in the log")
        return verdict

    def end(self) -> None:
        """End what still runs."""
        self.watch.stop()
        self.crew.kill()

    def _all_counts(self, guests: list[str]) -> bool:
        """Tell whether no guest is left, and no message."""
        from redis import RedisError

        try:
            if saved.lists(self.settings, guests):
                return False
            return not any(at.lag for at in offsets.progress(self.settings))
        except (KafkaAway, RedisError):
            return False


def run(plan: Plan, folder: Path, tell: Tell) -> Verdict:
    """Run a plan with everything in a folder; return what the checker has found.

    Raises:
        ServiceFailed: a Kafka, a Redis or a worker did not start.
    """
    with site(folder) as here:
        one = Run(plan, here, folder, tell)
        try:
            return one.go()
        finally:
            one.end()


def _until(done: Callable[[], bool], within_s: float, what: str) -> float:
    """Wait until something is true; return how long it took. With `what`, it must become so."""
    begun = time.monotonic()
    while not done():
        if time.monotonic() - begun > within_s:
            if what:
                raise ServiceFailed(f"{what}: not within {within_s:g} s; read the workers' logs")
            break
        time.sleep(LOOK_S)
    return time.monotonic() - begun
