"""What it takes to start one local service, however it is started."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from contracts.errors import ServiceFailed


class Recipe(NamedTuple):
    """How to start a service and how to know that it answers.

    `address` is what a client is told; `answers(address)` says whether the service works now.
    """

    name: str
    args: list[str]
    log: Path
    port: int
    address: str
    answers: Callable[[str], bool]


def wait(recipe: Recipe, alive: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return as soon as the service answers.

    Raises:
        ServiceFailed: its process ended first, or `timeout_s` passed.
    """
    deadline = time.monotonic() + timeout_s
    while not recipe.answers(recipe.address):
        if not alive():
            raise ServiceFailed(f"{recipe.name} ended at its start: {last_line(recipe.log)}")
        if time.monotonic() > deadline:
            raise ServiceFailed(
                f"{recipe.name} did not answer at {recipe.address} within {timeout_s:.0f} s; "
                f"read {recipe.log}"
            )
        time.sleep(0.05)


def last_line(log: Path) -> str:
    """Return the last words of a log that name an error, and where to read the rest."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or "xception" in line or "ailed" in line]
    said = (telling or lines or ["it said nothing"])[-1]
    return f"{said[:300]}; read {log}"


def connects(port: int) -> bool:
    """Return whether something listens on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
