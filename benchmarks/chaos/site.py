"""A Kafka and a Redis of our own, each behind a proxy, and what can befall them."""

import os
import resource
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.chaos.proxy import Proxy
from headwater.local import Service, broker, ports, redis_server
from headwater.local.recipe import Recipe

# What it cannot write is then an error, as on a full disk, and not the end of it.
WITHOUT_SIGNAL = ("/bin/sh", "-c", 'trap "" XFSZ; exec "$0" "$@"')
LOST_S = 1.0  # `appendfsync everysec`: what a power cut takes
LOOK_S = 0.1
ROOM_BYTES = 1 << 16


class Kept:
    """Knows how long Redis's append-only file was some time ago."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: deque[tuple[float, int]] = deque(maxlen=100)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def file(self) -> Path:
        """The file that grows: Redis 7 has several."""
        return max(self._folder.rglob("*.aof"), key=lambda file: file.stat().st_mtime)

    def cut(self, at: float) -> int:
        """Cut off what came after a moment; return how many bytes that was."""
        size = self.file.stat().st_size
        kept = next((s for when, s in reversed(self._sizes) if when <= at), size)
        os.truncate(self.file, kept)
        self._sizes.clear()
        return size - kept

    def stop(self) -> None:
        """Look no longer."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._sizes.append((time.monotonic(), self.file.stat().st_size))


class Site:
    """The services as workers reach them, through `kafka` and `redis`; `direct` goes past."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        environ = dict(os.environ)
        made = redis_server.recipe(folder / "redis", ports.quiet(), environ)
        self.redis_proxy = stack.enter_context(Proxy(made.port))
        self.redis_service = _running(stack, _deaf(made), environ)
        self.kept = Kept(folder / "redis")
        stack.callback(self.kept.stop)
        port = ports.quiet()
        self.kafka_proxy = stack.enter_context(Proxy(port))
        made_kafka = broker.recipe(folder / "kafka", port, ports.quiet(), environ)
        _advertise(folder / "kafka" / "server.properties", port, self.kafka_proxy.port)
        self.kafka_service = _running(stack, made_kafka, environ)
        self.kafka = f"127.0.0.1:{self.kafka_proxy.port}"
        self.redis = f"redis://127.0.0.1:{self.redis_proxy.port}/0"
        self.direct = made.address

    def command(self, *words: str) -> None:
        """Tell Redis something, past the proxy."""
        from redis import Redis

        with Redis.from_url(self.direct) as redis:
            redis.execute_command(*words)

    def limit_file(self, limited: bool) -> None:
        """Let Redis's file grow no further, or as it likes."""
        pid = self.redis_service.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        size = self.kept.file.stat().st_size + ROOM_BYTES
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size if limited else hard, hard))


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Run both services; they have ended when the block is left."""
    with ExitStack() as stack:
        yield Site(folder, stack)


def _running(stack: ExitStack, recipe: Recipe, environ: Mapping[str, str]) -> Service:
    service = Service(recipe, environ)
    stack.callback(service.stop)
    service.wait()
    return service


def _deaf(recipe: Recipe) -> Recipe:
    return recipe._replace(args=[*WITHOUT_SIGNAL, *recipe.args])


def _advertise(config: Path, port: int, proxy: int) -> None:
    """Have the broker send its clients to the proxy."""
    old = f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}"
    text = config.read_text(encoding="utf-8").replace(old, old.replace(str(port), str(proxy)))
    config.write_text(text, encoding="utf-8")
