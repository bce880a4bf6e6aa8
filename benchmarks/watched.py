"""A real worker that also tells how long its event loop was held, and how long a revoke took.

    python -m benchmarks.watched

It tells on standard output, a JSON line each; times are those of `time.perf_counter`, which all
processes of a machine share. What was under way when the loop was held is looked up by a thread.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import msgspec

from benchmarks.rig import ROOT
from headwater.cli import main
from streams.worker.background import BackgroundTasks
from streams.worker.manager import ShardManager

BEAT_S, TOLD_S, LOOK_S = 0.002, 0.015, 0.005
FRAMES = 3


class Told(msgspec.Struct):
    """One thing that happened: when it ended, how long it took, what was under way.

    `worked` is how much of that the event loop had a core; the rest others had both.
    """

    what: str
    at: float
    seconds: float
    by: str = ""
    worked: float = 0.0


def told(log: bytes) -> Iterator[Told]:
    """Yield everything that a watched worker has told in its log."""
    for line in log.splitlines():
        if line.startswith(b'{"what":'):
            yield msgspec.json.decode(line, type=Told)


class Watch:
    """Beats on the event loop; who comes late was held."""

    def __init__(self) -> None:
        self._beat = time.perf_counter()
        self._by = ""
        self._ended = threading.Event()

    async def run(self) -> None:
        """Beat until it is cancelled."""
        of_loop = threading.get_ident()
        threading.Thread(target=self._look, args=(of_loop,), daemon=True).start()
        try:
            while True:
                self._beat, self._by, worked = time.perf_counter(), "", time.thread_time()
                await asyncio.sleep(BEAT_S)
                now = time.perf_counter()
                if (late := now - self._beat - BEAT_S) > TOLD_S:
                    _tell(Told("held", now, late, self._by, time.thread_time() - worked))
        finally:
            self._ended.set()

    def _look(self, of_loop: int) -> None:
        while not self._ended.wait(LOOK_S):
            if time.perf_counter() - self._beat > TOLD_S:
                frames = sys._current_frames()  # noqa: SLF001 - it is documented, for debuggers
                self._by = _under_way(frames.get(of_loop))


def _under_way(frame: FrameType | None) -> str:
    """Return the innermost of our functions that a thread is in."""
    found: list[str] = []
    while frame is not None and len(found) < FRAMES:
        file = frame.f_code.co_filename
        if file.startswith(str(ROOT)) and "site-packages" not in file:
            found.append(f"{file.removeprefix(f'{ROOT}/')}:{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def _tell(what: Told) -> None:
    os.write(1, msgspec.json.encode(what) + b"\n")


def _watch() -> None:
    """Have every worker of this process watched."""
    start, revoke = BackgroundTasks.start, ShardManager.revoke
    watches: list[asyncio.Task[None]] = []

    def started(self: BackgroundTasks) -> None:
        watches.append(asyncio.get_running_loop().create_task(Watch().run()))
        start(self)

    async def revoked(self: ShardManager) -> None:
        begun, held = time.perf_counter(), len(self.owned_shards)
        await revoke(self)
        now = time.perf_counter()
        _tell(Told("revoked", now, now - begun, f"{held} shards"))

    BackgroundTasks.start = started  # type: ignore[method-assign]
    ShardManager.revoke = revoked  # type: ignore[method-assign]


if __name__ == "__main__":
    _watch()
    sys.exit(main(["worker"]))
