"""The real worker, `headwater worker`, as a process, and what it says about itself meanwhile."""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from benchmarks import memory, rig
from contracts import exits
from contracts.errors import ServiceFailed
from contracts.metrics import EVENTS, FRESHNESS, LISTS, STAGE_SECONDS
from contracts.settings import Settings
from headwater.local import Supervised, ports
from serving.scrape import Samples, answers, scrape

START_S = 180.0  # a first start compiles kernels
LOOK_S = 0.25  # a look costs the worker some milliseconds


class Moment(NamedTuple):
    """What stood in the metrics at one time, and the CPU seconds of every process until then."""

    at: float
    samples: Samples
    cpu_s: dict[str, float]

    @property
    def learned(self) -> float:
        """Events learned until now."""
        return self.samples.total(EVENTS, outcome="learned")


class Stretch(NamedTuple):
    """What happened between two moments."""

    begin: Moment
    end: Moment

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end.at - self.begin.at

    @property
    def events(self) -> float:
        """Events learned."""
        return self.end.learned - self.begin.learned

    @property
    def rate(self) -> float:
        """Events learned per second."""
        return self.events / self.seconds

    def lists(self, kind: str) -> float:
        """Return how many answers of a kind were published."""
        ends = [moment.samples.total(LISTS, kind=kind) for moment in (self.end, self.begin)]
        return ends[0] - ends[1]

    def stages(self) -> dict[str, float]:
        """Return microseconds per event, by stage."""
        name = STAGE_SECONDS.name + "_sum"
        begin, end = (m.samples.families().get(name, {}) for m in (self.begin, self.end))
        spent = {dict(key)["stage"]: value - begin.get(key, 0.0) for key, value in end.items()}
        return {stage: seconds / self.events * 1e6 for stage, seconds in spent.items()}

    def cpu_us(self) -> dict[str, float]:
        """Return microseconds of CPU per event, by process."""
        begin, end = self.begin.cpu_s, self.end.cpu_s
        return {name: (end[name] - begin[name]) / self.events * 1e6 for name in end}

    def freshness(self) -> dict[float, float]:
        """Return the histogram of freshness in this stretch: events up to each bound."""
        begin = self.begin.samples.buckets(FRESHNESS)
        return {
            bound: n - begin.get(bound, 0.0)
            for bound, n in self.end.samples.buckets(FRESHNESS).items()
        }


class Working:
    """A running worker."""

    def __init__(self, child: Supervised, settings: Settings, pids: Mapping[str, int]) -> None:
        self.child = child
        self.begun = time.perf_counter()
        self._pids = {"worker": child.pid, **pids}
        self._url = f"http://127.0.0.1:{settings.metrics_port}"

    def ready(self) -> bool | None:
        """Return True once it says so, else None."""
        return answers(f"{self._url}/readyz") or None

    def moment(self) -> Moment | None:
        """Return how things stand, None if it does not answer."""
        samples = scrape(f"{self._url}/metrics")
        if samples is None:
            return None
        return Moment(time.perf_counter(), samples, rig.cpus(self._pids))

    def now(self) -> Moment:
        """Return how things stand; it must answer."""
        return rig.until(self.moment, self.child, START_S)

    def past(self, events: float, within_s: float) -> Moment:
        """Return the first moment at which so many events were learned."""

        def look() -> Moment | None:
            time.sleep(LOOK_S)
            moment = self.moment()
            return moment if moment and moment.learned >= events else None

        return rig.until(look, self.child, within_s)

    def rss(self) -> int:
        """Return the bytes of the worker's process that are in memory."""
        return memory.rss(self.child.pid)

    def stop(self) -> float:
        """Send SIGTERM and return the seconds until it has ended.

        Raises:
            ServiceFailed: it did not end in good order.
        """
        begun = time.perf_counter()
        self.child.send(signal.SIGTERM)
        code = self.child.wait(START_S)
        if code != exits.OK.code:
            tail = self.child.log.read_text(errors="replace")[-2000:]
            raise ServiceFailed(f"the worker ended with {code}; its last words: {tail}")
        return time.perf_counter() - begun


WORKER = ("headwater", "worker")


@contextmanager
def working(
    bench: rig.Rig, settings: Settings, command: Sequence[str] = WORKER
) -> Iterator[Working]:
    """Run a worker; it is ready when the block begins and has ended when it is left.

    `command` is a module and its arguments.
    """
    settings = msgspec.structs.replace(settings, metrics_port=ports.quiet())
    pids = {
        "kafka": bench.services.kafka.process.pid,
        "redis": bench.services.redis.process.pid,
    }
    module, *arguments = command
    with bench.child(module, settings, *arguments) as child:
        worker = Working(child, settings, pids)
        rig.until(worker.ready, child, START_S)
        yield worker
