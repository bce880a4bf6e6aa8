"""Holds one child and ends it with whoever started it. Run as a script, never imported.

    python -I -S supervise.py PROGRAM ARGUMENT…

Its standard input is a pipe from the parent: each byte is a signal number, sent on to the
child's process group; the end of the pipe means that the parent is gone, however it went, and
kills the group. It prints the child's process id and ends with the child, with its exit code
(128 + n after signal n). This needs no help from the kernel beyond pipes and process groups:
PR_SET_PDEATHSIG would fire when the starting *thread* ends, and grandchildren would survive it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys


def main() -> int:
    """Run the program in the arguments until it ends or the parent does."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    child = subprocess.Popen(  # noqa: S603 - the parent's own command
        sys.argv[1:], stdin=subprocess.DEVNULL, stdout=2, stderr=2, start_new_session=True
    )
    os.write(1, b"%d\n" % child.pid)
    os.close(1)
    while child.poll() is None:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 64)
        if 0 in ready:
            pass_on(child.pid, os.read(0, 64) or bytes([signal.SIGKILL]))
    pass_on(child.pid, bytes([signal.SIGKILL]))  # what the child itself has left behind
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def pass_on(group: int, numbers: bytes) -> None:
    """Send each signal to the whole group; a group that has ended is no error."""
    for number in numbers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main())
