"""Child processes: supervised ones, which end with us, and detached ones, which outlive us."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from contracts.errors import ServiceFailed

SUPERVISOR = Path(__file__).with_name("supervise.py")


class Supervised:
    """A child in a process group of its own that ends when we stop it, leave, or are killed.

    `pid` is the child's own; its output goes to the end of the file `log`.
    """

    def __init__(self, args: Sequence[str | Path], log: Path, environ: Mapping[str, str]) -> None:
        with log.open("ab") as out:
            self._holder = subprocess.Popen(  # noqa: S603 - the caller's own command
                [sys.executable, "-I", "-S", SUPERVISOR, *args],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                env=dict(environ),
                start_new_session=True,
                bufsize=0,
            )
        assert self._holder.stdout is not None  # noqa: S101 - for the type checker
        said = self._holder.stdout.readline()
        self._holder.stdout.close()
        if not said:
            self.stop()
            raise ServiceFailed(f"{args[0]} cannot be started; read {log}")
        self.pid = int(said)
        self.log = log

    @property
    def alive(self) -> bool:
        """Whether the child has not ended (a paused one has not)."""
        return self._holder.poll() is None

    def send(self, number: int) -> None:
        """Send a signal to the child's process group; nothing happens if it has ended."""
        assert self._holder.stdin is not None  # noqa: S101 - for the type checker
        with contextlib.suppress(OSError, ValueError):
            self._holder.stdin.write(bytes([number]))

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the exit code once the child has ended, 128 + n after signal n.

        Raises:
            TimeoutError: it still runs after `timeout_s`.
        """
        try:
            code = self._holder.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s} s") from None
        self._close()
        return code

    def stop(self, grace_s: float = 10.0) -> int:
        """End the child: SIGTERM, then SIGKILL after `grace_s`; return its exit code."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # a paused process takes no SIGTERM
        try:
            return self.wait(grace_s)
        except TimeoutError:
            self._close()  # the end of its pipe tells the supervisor to kill
            return self.wait()

    def _close(self) -> None:
        assert self._holder.stdin is not None  # noqa: S101 - for the type checker
        self._holder.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def spawn(
    args: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None
) -> Supervised:
    """Start a program that ends with us even if we are killed; output goes to `log`.

    Use it as a context manager, or call `stop()`. The program is started directly: no shell.

    Raises:
        ServiceFailed: the program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    return Supervised(args, log, os.environ if environ is None else environ)


def detach(args: Sequence[str], log: Path) -> int:
    """Start a program that outlives us and return its process id; output goes to `log`.

    Raises:
        ServiceFailed: the program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own recipe
                args, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        except OSError as error:
            raise ServiceFailed(f"{args[0]} cannot be started: {error.strerror}") from None
    child.returncode = 0  # it is not ours to wait for: no warning when the object goes
    return child.pid


def born(pid: int) -> str:
    """Return a mark of when this process started, empty if it has ended.

    A process id is given out again; the pair of it and this mark is not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _born_by_ps(pid)
    state, *fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if state == "Z" else f"{boot}:{fields[18]}"  # field 22 of proc(5): ticks since boot


def _born_by_ps(pid: int) -> str:
    args = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(  # noqa: S603 - a fixed command
        args, capture_output=True, text=True, check=False
    ).stdout.strip()


def end(pid: int, mark: str, grace_s: float = 20.0) -> bool:
    """End a detached process's group: SIGTERM, after `grace_s` SIGKILL; return if it lived."""
    if not mark or born(pid) != mark:
        return False
    _signal(pid, signal.SIGTERM, signal.SIGCONT)
    deadline = time.monotonic() + grace_s
    while born(pid) == mark:
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.05)
    return True


def _signal(group: int, *numbers: int) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
