"""Finds processes that the tests have started and not ended, by Linux's /proc."""

import os
from pathlib import Path

MARK = "HEADWATER_TEST_RUN"


def left_over(mark: str, folder: Path) -> list[str]:
    """Return `pid: command` of every process of this run that still lives.

    A process is ours if it inherited the run's mark or works in the run's folder (Redis writes
    over its environment, but it works in its data's folder). Without /proc there is nothing
    to look at and the list is empty.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            marked = f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0")
            inside = (process / "cwd").readlink().is_relative_to(folder)
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended while we looked, or it is another user's
            continue
        if (marked or inside) and "multiprocessing.resource_tracker" not in command:
            found.append(f"{process.name}: {command[:200]}")
    return found
