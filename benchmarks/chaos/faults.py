"""What each kind of fault does: how it begins, and how it is over."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.chaos import clock
from benchmarks.chaos.crew import Crew, Tell, Worker
from benchmarks.chaos.schedule import Fault
from benchmarks.chaos.site import LOST_S, Site
from benchmarks.chaos.watch import Watch

JUMP_S = 7_200.0
Ways = tuple[Callable[[], object], Callable[[], object]]  # how it begins, how it is over


class Chaos:
    """Lets faults befall a site and a crew, each in its own thread and in its own time."""

    def __init__(self, site: Site, crew: Crew, watch: Watch, seed: int, tell: Tell) -> None:
        self.site, self.crew, self.watch = site, crew, watch
        self.happened: list[Fault] = []
        self._tell, self._random = tell, Random(seed)  # noqa: S311 - a simulation
        self._begun = time.monotonic()
        self._locks: dict[str, threading.Lock] = {}

    def run(self, faults: Sequence[Fault]) -> None:
        """Let all of them happen and return when the last one is over.

        Raises:
            Exception: what a fault itself has run into; it says nothing of the workers.
        """
        wrong: list[BaseException] = []
        self._locks = {fault.target: threading.Lock() for fault in faults}
        threads = []
        for fault in faults:
            time.sleep(max(0.0, self._begun + fault.at_s - time.monotonic()))
            threads.append(threading.Thread(target=self._happen, args=(fault, wrong), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]

    def _happen(self, fault: Fault, wrong: list[BaseException]) -> None:
        try:
            with self._locks[fault.target]:
                begun = round(time.monotonic() - self._begun, 1)
                self._tell(str(fault._replace(at_s=begun)))
                befall, over = self._kinds(fault)
                befall()
                time.sleep(fault.lasts_s)
                over()
                self.happened.append(fault._replace(at_s=begun))
        except Exception as error:  # told by `run`, which waits for this thread
            wrong.append(error)

    def _kinds(self, fault: Fault) -> Ways:
        if fault.target in self.crew.workers:
            return self._of_worker(fault.kind, self.crew.workers[fault.target])
        return self._of_service(fault.kind)

    def _of_worker(self, kind: str, worker: Worker) -> Ways:
        ahead = self._random.uniform(-JUMP_S, JUMP_S)
        return {
            "kill": (lambda: _kill(worker), worker.start),
            "term": (lambda: self.crew.stopped(worker), worker.start),
            "freeze": (
                lambda: worker.process.send(signal.SIGSTOP),
                lambda: worker.process.send(signal.SIGCONT),
            ),
            "clock": (
                lambda: clock.jump(worker.clock, ahead),
                lambda: clock.jump(worker.clock, 0.0),
            ),
        }[kind]

    def _of_service(self, kind: str) -> Ways:
        site = self.site
        proxy = site.redis_proxy if kind.startswith("redis") else site.kafka_proxy
        return {
            "redis-kill": (site.redis_service.kill, site.redis_service.restart),
            "redis-tail": (self._cut, site.redis_service.restart),
            "redis-reset": (proxy.reset, proxy.resume),
            "redis-stall": (proxy.stall, proxy.resume),
            "redis-full": (lambda: self._maxmemory("1mb"), lambda: self._maxmemory("0")),
            "redis-disk": (lambda: site.limit_file(True), lambda: site.limit_file(False)),
            "kafka-kill": (site.kafka_service.kill, site.kafka_service.restart),
            "kafka-reset": (proxy.reset, proxy.resume),
            "kafka-stall": (proxy.stall, proxy.resume),
        }[kind]

    def _cut(self) -> None:
        self.site.redis_service.kill()
        lost = self.site.kept.cut(time.monotonic() - LOST_S)
        self.watch.forget()
        self._tell(f"            {lost} bytes of Redis's file are lost")

    def _maxmemory(self, size: str) -> None:
        self.site.command("CONFIG", "SET", "maxmemory", size)


def _kill(worker: Worker) -> None:
    worker.meant = True
    worker.process.send(signal.SIGKILL)
    worker.process.wait()
