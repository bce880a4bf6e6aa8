"""The disasters: each befalls a world and is mended as docs/runbook.md says, without a pause.

A function returns what else there is to say, most often nothing.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks import streams
from benchmarks.chaos.site import LOST_S, Kept
from benchmarks.recovery.world import World
from headwater.local import broker, ports
from state import versions
from state.opened import opened
from streams.kafka import topics

WRONG = 2_000


class Disaster(NamedTuple):
    """What happens, what does it and mends it, and how many workers there are."""

    name: str
    befall: Callable[[World], str]
    workers: int = 1


def worker_killed(world: World) -> str:
    """SIGKILL; a supervisor starts it again."""
    _kill(world)
    world.start()
    return "a supervisor starts it again at once"


def worker_gone(world: World) -> str:
    """SIGKILL; nobody starts it again."""
    _kill(world)
    return "another worker takes its partitions"


def worker_paused(world: World) -> str:
    """SIGSTOP, for as long as the measurement lasts."""
    worker = world.workers[0]
    worker.send(signal.SIGSTOP)
    while ") T " not in Path(f"/proc/{worker.pid}/stat").read_text():
        time.sleep(0.001)
    return "another worker takes its partitions"


def redis_killed(world: World) -> str:
    """SIGKILL; started again with its append-only file."""
    world.bench.services.redis.kill()
    world.bench.services.redis.restart()
    return ""


def redis_tail(world: World) -> str:
    """SIGKILL, and what the file got in the last second is gone."""
    kept = Kept(world.bench.folder / "redis")
    try:
        time.sleep(2 * LOST_S)
        world.bench.services.redis.kill()
        lost = kept.cut(time.monotonic() - LOST_S)
    finally:
        kept.stop()
    world.bench.services.redis.restart()
    return f"{lost:,} bytes of its file"


def redis_wiped(world: World) -> str:
    """SIGKILL; started again with an empty folder. Workers run on."""
    redis = world.bench.services.redis
    redis.kill()
    for file in (world.bench.folder / "redis").iterdir():
        if file.name != "redis.log":
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    redis.restart()
    return f"a log of {world.feed.acknowledged:,} events is learned anew"


def broker_killed(world: World) -> str:
    """SIGKILL; started again with its log."""
    world.bench.services.kafka.kill()
    world.bench.services.kafka.restart()
    return ""


def log_lost(world: World) -> str:
    """SIGKILL; started again with an empty folder. The state is adopted by new topics."""
    file = str(world.bench.folder / f"{world.settings.group}.hw")
    world.bench.services.kafka.kill()
    world.feed.end(0.0)
    world.stop()
    _empty(world.bench.folder / "kafka", world.bench.services.kafka.address)
    world.bench.services.kafka.restart()
    world.command("snapshot", "export", file)
    topics.ensure(world.settings)
    world.command("snapshot", "import", file, "--adopt", "start")
    world.start()
    world.feed.begin()
    return "export, topics, import --adopt start"


def key_lost(world: World) -> str:
    """All workers get another key."""
    world.stop()
    world.settings = msgspec.structs.replace(world.settings, snapshot_key="another key than before")
    world.start()
    return f"a log of {world.feed.acknowledged:,} events is learned anew"


def wrong_events(world: World) -> str:
    """A producer sends what nobody has chosen; items and weights go back to before."""
    version = asyncio.run(_oldest(world))
    for n in range(WRONG):
        world.feed.send(streams.visit("wrong", n, n, 0) | {"user": f"wrong-{n}", "item": "wrong"})
    begun = time.time()
    world.command("freeze", "--why", "wrong events")
    world.command("rollback", version.name, "--skip")
    world.command("thaw")
    return f"freeze, rollback --skip, thaw; back to {begun - version.created:.1f} s before"


def person(world: World) -> str:
    """Somebody wants to be erased."""
    user = next(iter(world.feed.last))
    world.command("forget", user, "--exact")
    world.feed.last.pop(user)
    return "forget --exact"


DISASTERS = {
    "worker-killed": Disaster("a worker is killed", worker_killed),
    "worker-gone": Disaster("one of two workers is killed", worker_gone, workers=2),
    "worker-paused": Disaster("one of two workers is paused", worker_paused, workers=2),
    "redis-killed": Disaster("Redis is killed", redis_killed),
    "redis-tail": Disaster("Redis loses its last second", redis_tail),
    "redis-wiped": Disaster("Redis is wiped", redis_wiped),
    "broker-killed": Disaster("the broker is killed", broker_killed),
    "log-lost": Disaster("the broker's log is lost", log_lost),
    "key-lost": Disaster("the snapshot key is lost", key_lost),
    "wrong-events": Disaster("wrong events were produced", wrong_events),
    "person": Disaster("one person wants to be erased", person),
}


def _kill(world: World) -> None:
    worker = world.workers.pop(0)
    worker.send(signal.SIGKILL)
    worker.wait()


def _empty(folder: Path, address: str) -> None:
    """Leave a broker's folder as before its first start."""
    shutil.rmtree(folder / "data")
    broker.recipe(folder, int(address.rpartition(":")[2]), ports.quiet(), os.environ)


async def _oldest(world: World) -> versions.Version:
    """Return the version that stays: the newest two are replaced within seconds."""
    async with opened(world.settings) as store:
        return versions.choose(await versions.read(store))[-1]
