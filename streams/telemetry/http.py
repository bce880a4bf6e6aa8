"""Answers /metrics, /healthz and /readyz from a thread, so that it answers when the loop hangs.

`/healthz` is 200 while the worker moves or is allowed to wait, `/readyz` only while it has
partitions, state and both services; otherwise 503 with one line that says why.
"""

import errno
import logging
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from contracts.errors import ServiceFailed, SettingsError

LOG = logging.getLogger(__name__)
TRIES = 100


@dataclass
class Health:
    """Whether the worker lives and can work, and why not; the worker sets it, this shows it.

    `reason` is one line, shown while not `ready`. With `beat_every_s` the worker promises to call
    `beat()` at least so often: a loop that hangs cannot say so itself.

    >>> health = Health(ready=True, reason="")
    >>> health.serves()
    (True, 'ready')
    >>> health.stall("no progress for 60 s, lag 12")
    >>> health.lives()
    (False, 'no progress for 60 s, lag 12')
    """

    ready: bool = False
    reason: str = "starting"
    stalled: str = ""
    beat_every_s: float | None = None
    beaten_at: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """Say that the worker's loop still turns."""
        self.beaten_at = time.monotonic()

    def stall(self, reason: str) -> None:
        """Say that nothing moves although something should; an empty reason takes it back."""
        self.stalled = reason

    def lives(self) -> tuple[bool, str]:
        """Return the answer of /healthz and one line."""
        silent = time.monotonic() - self.beaten_at
        if self.beat_every_s is not None and silent > self.beat_every_s:
            return False, f"the worker's loop has not turned for {silent:.0f} s; restart it"
        if self.stalled:
            return False, self.stalled
        return True, "alive" if self.ready else f"alive, not ready: {self.reason}"

    def serves(self) -> tuple[bool, str]:
        """Return the answer of /readyz and one line."""
        lives, line = self.lives()
        if not lives:
            return False, line
        return self.ready, "ready" if self.ready else self.reason


class Endpoint:
    """The HTTP server of one worker; `with Endpoint(registry, health, host, port):`.

    `port` 0 takes a free one; where `port` is taken, the next free one is, and the log says so.

    Raises:
        SettingsError: the host is no address of this machine.
        ServiceFailed: none of the hundred ports from `port` on is free.
    """

    def __init__(self, registry: CollectorRegistry, health: Health, host: str, port: int) -> None:
        self._server = _bind(host, port, _handler(registry, health))
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )

    @property
    def url(self) -> str:
        """Where the server answers, without a path."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        LOG.info("metrics and health stand at %s/metrics, /healthz, /readyz", self.url)

    def stop(self) -> None:
        """Answer no more and give the port back; harmless when not started or done twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Endpoint":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _bind(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    for candidate in range(port, min(port + TRIES, 65_536)) if port else (0,):
        try:
            server = _Server((host, candidate), handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise SettingsError(
                f"HEADWATER_METRICS_HOST={host}, port {candidate}: {error.strerror}; "
                "name an address of this machine and a port you may use"
            ) from None
        if candidate != port:
            LOG.warning("metrics port %d is taken; %d is used instead", port, candidate)
        return server
    raise ServiceFailed(f"no free metrics port from {port} to {port + TRIES - 1}; set another one")


def _handler(registry: CollectorRegistry, health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # a client that says nothing does not hold a thread for ever
        server_version = "headwater"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(registry), kind)
            elif path in ("/healthz", "/readyz"):
                good, line = health.lives() if path == "/healthz" else health.serves()
                self._say(200 if good else 503, line)
            else:
                self._say(404, "here are /metrics, /healthz and /readyz")

        do_HEAD = do_GET  # noqa: N815 - the base class names it

        def _say(self, status: int, line: str) -> None:
            self._answer(status, f"{line}\n".encode(), "text/plain; charset=utf-8")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a scrape every few seconds is no news."""

    return Handler
