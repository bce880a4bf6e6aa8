"""The workers, and the supervisor that starts one again which has ended by itself."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos import clock
from benchmarks.rig import environ
from contracts import exits
from contracts.settings import Settings
from headwater.local import Supervised, spawn

LOOK_S = 0.2
STOP_S = 60.0
TERMINATED = 128 + signal.SIGTERM
Tell = Callable[[str], None]
# A worker that starts while Kafka or Redis is away for longer than `wait_s` says so and ends.
ALLOWED = {exits.OK.code, exits.KAFKA_AWAY.code, exits.REDIS_AWAY.code}


class Worker:
    """One worker's place: a process now and then, a log, a clock."""

    def __init__(self, name: str, folder: Path, settings: Settings, bug: str) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.clock = folder / f"{name}.clock"
        self.meant = False  # whether it is down, or to be ended, because a fault wants it so
        self._settings, self._bug = settings, bug
        clock.jump(self.clock, 0.0)
        self.start()

    def start(self) -> None:
        """Start a process in this place."""
        module = ["-W", "ignore", "-m", "benchmarks.chaos.worker", str(self.clock)]
        command: list[str | Path] = [sys.executable, *module, *filter(None, [self._bug])]
        self._from = self.log.stat().st_size if self.log.exists() else 0
        self.process: Supervised = spawn(command, self.log, environ(self._settings))
        self.meant = False

    @property
    def ready(self) -> bool:
        """Whether its process has said so."""
        return b": ready" in self.log.read_bytes()[self._from :]

    def last_words(self) -> str:
        """Return the last line of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return (lines or ["it said nothing"])[-1]

    def end(self) -> tuple[int, float]:
        """End it in good order; return its exit code and the seconds that it took."""
        self.meant = True
        begun = time.monotonic()
        code = self.process.stop(STOP_S)
        return code, time.monotonic() - begun


class Crew:
    """All workers; `failures` is what ended that should not have."""

    def __init__(
        self, folder: Path, settings: Settings, workers: int, bug: str, tell: Tell
    ) -> None:
        self.failures: list[str] = []
        self.ends_s: list[float] = []
        self._tell = tell
        names = [f"worker{n}" for n in range(1, workers + 1)]
        self.workers = {name: Worker(name, folder, settings, bug) for name in names}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()

    def stopped(self, worker: Worker) -> None:
        """End a worker in good order; what it leaves undone is a failure."""
        code, seconds = worker.end()
        self.ends_s.append(seconds)
        early = code == TERMINATED and not worker.ready  # it had no state to give back
        if code != exits.OK.code and not early:
            self._fail(worker, code)

    def stop(self) -> None:
        """End all in good order, and start none again."""
        self._over.set()
        self._thread.join()
        for worker in self.workers.values():
            self.stopped(worker)

    def kill(self) -> None:
        """End all at once."""
        self._over.set()
        self._thread.join()
        for worker in self.workers.values():
            worker.process.send(signal.SIGKILL)
            worker.process.stop()

    def _supervise(self) -> None:
        while not self._over.wait(LOOK_S):
            for worker in self.workers.values():
                if not worker.meant and not worker.process.alive:
                    self._again(worker)

    def _again(self, worker: Worker) -> None:
        code = worker.process.stop()
        self._tell(f"{worker.name} ended with {code}: {worker.last_words()}")
        if code not in ALLOWED:
            self._fail(worker, code)
        worker.start()

    def _fail(self, worker: Worker, code: int) -> None:
        self.failures.append(f"{worker.name} ended with {code}: {worker.last_words()}")
