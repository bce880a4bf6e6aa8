"""Chooses ports on 127.0.0.1: the wished one, the next free one, or any quiet one."""

import random
import socket

from contracts.errors import ServiceFailed

# Below the range from which systems take the ports of outgoing connections (Linux from 32768),
# so that nobody takes a port between our choosing it and the service binding it.
QUIET = range(15_000, 30_000)


def is_free(port: int) -> bool:
    """Return whether a service could bind this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def next_free(wished: int) -> int:
    """Return `wished` if it is free, else the first free port above it.

    Raises:
        ServiceFailed: none of the hundred ports from `wished` on is free.
    """
    for port in range(wished, min(wished + 100, 65_536)):
        if is_free(port):
            return port
    raise ServiceFailed(f"no free port from {wished} to {wished + 99}; end what holds them")


def quiet() -> int:
    """Return a free port that neither a well-known service nor a connection is likely to take."""
    while not is_free(port := random.choice(QUIET)):  # noqa: S311 - not a secret
        pass
    return port
