"""What every benchmark stands on: real services, filled topics, processes that end with us."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmarks.meter import Reading
from contracts.errors import ServiceFailed
from contracts.settings import PREFIX, Settings
from headwater.local import Services, Supervised, services, spawn
from streams.kafka import producer, topics

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.05
T = TypeVar("T")


class Rig:
    """A Kafka and a Redis of our own, and the way to start processes that use them."""

    def __init__(self, folder: Path, running: Services) -> None:
        self.folder = folder
        self.services = running
        self._names = 0

    def settings(self, **changes: Any) -> Settings:
        """Return settings whose group, topics and keys nobody has used yet."""
        self._names += 1
        name = f"b{self._names}"
        given: dict[str, Any] = {
            "kafka": self.services.kafka_address,
            "redis": self.services.redis_url,
            "group": name,
            "topic_prefix": f"{name}.",
            "key_prefix": f"{name}:",
            "snapshot_key": "for benchmarks only",
            "metrics_port": 0,
            "home": str(self.folder / "home"),
        }
        return Settings(**(given | changes))

    def again(self, settings: Settings, **changes: Any) -> Settings:
        """Return settings for the same topics and pipeline, with a group that knows nothing."""
        kept = {n: getattr(settings, n) for n in ("topic_prefix", "partitions", "pipeline")}
        return self.settings(**(kept | changes))

    def fill(self, settings: Settings, rows: Iterable[dict[str, Any]]) -> int:
        """Create the topics and send all rows; return how many the broker has."""
        topics.ensure(settings)
        return producer.interactions(rows, settings, lambda _: None)

    def clear(self) -> None:
        """Empty Redis and its append-only file.

        What earlier rounds left there would be written anew in the midst of a later one.
        """
        from redis import Redis

        with Redis.from_url(self.services.redis_url) as redis:
            redis.flushall()
            redis.bgrewriteaof()
            while _rewriting(redis.info("persistence")):
                time.sleep(LOOK_S)

    def child(self, module: str, settings: Settings, *args: object) -> Supervised:
        """Start `python -m module` with these settings in its environment."""
        self._names += 1
        log = self.folder / "logs" / f"{self._names}-{module}.log"
        command = [sys.executable, "-m", module, *map(str, args)]
        return spawn(command, log, environ(settings))

    def measure(self, module: str, settings: Settings, *args: object, within_s: float) -> Reading:
        """Run a peer until it has told its reading.

        Raises:
            ServiceFailed: it ended without one, or took too long.
        """
        with self.child(module, settings, *args) as child:
            return until(lambda: _reading(child), child, within_s)


@contextmanager
def rig() -> Iterator[Rig]:
    """Run a Kafka and a Redis in a temporary folder; everything ends with the block."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        with services(folder) as running:
            yield Rig(folder, running)


def environ(settings: Settings) -> dict[str, str]:
    """Return an environment that gives a child exactly these settings."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(PREFIX)}
    given = {
        PREFIX + name.upper(): str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if value != {}
    }
    paths = [str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | given | {"PYTHONPATH": os.pathsep.join(paths)}


def until(look: Callable[[], T | None], child: Supervised, within_s: float) -> T:
    """Return the first thing that `look` finds while the child lives.

    Raises:
        ServiceFailed: the child has ended, or the time is over.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        ended = not child.alive
        if (found := look()) is not None:
            return found
        if ended:
            break
        time.sleep(LOOK_S)
    why = "has ended" if not child.alive else f"has told nothing for {within_s:g} s"
    tail = child.log.read_text(errors="replace")[-2000:]
    raise ServiceFailed(f"{child.log.name} {why}; its last words: {tail}")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpus(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds that each of these processes has used."""
    return {name: cpu_s(pid) for name, pid in pids.items()}


def in_turns(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield A B A B …: what disturbs one is likely to disturb the other."""
    for n in range(rounds):
        yield from ((n, name) for name in names)


def _rewriting(about: Mapping[str, Any]) -> bool:
    return bool(about["aof_rewrite_in_progress"] or about["aof_rewrite_scheduled"])


def _reading(child: Supervised) -> Reading | None:
    for line in reversed(child.log.read_bytes().splitlines()):
        if line.startswith(b'{"events":'):
            return msgspec.json.decode(line, type=Reading)
    return None
