"""A Redis that refuses for a while is waited for: a full disk or a lost replica ends no worker."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hiredis
import msgspec
import pytest
import redis

from contracts.settings import Settings
from headwater.local import local_redis
from state.connection import Pipe, RefusedForNow, away, connect, ping, redis_error
from state.manifest import Chunk
from state.redis_storage import RedisStorage
from state.storage import Guard
from tests.flow import Flow


class Store:
    """A Redis of one's own that can be made to refuse."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder = url, folder
        self.client: Any = redis.Redis.from_url(url)

    def lose_replicas(self) -> None:
        """Refuse writes with NOREPLICAS."""
        self.client.config_set("min-replicas-to-write", 1)

    def fill_disk(self) -> None:
        """Refuse writes with MISCONF, as after a save that failed for a full disk."""
        (self._folder / "taken").mkdir()
        self.client.config_set("dbfilename", "taken")
        self.client.config_set("save", "3600 1")
        self.client.bgsave()
        deadline = time.monotonic() + 10.0
        while self.client.info("persistence")["rdb_last_bgsave_status"] == "ok":
            assert time.monotonic() < deadline, "the save did not fail"
            time.sleep(0.05)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with local_redis(tmp_path / "own") as running:
        made = Store(running.address, tmp_path / "own")
        yield made
        made.client.config_set("save", "")  # else it refuses to end without having saved
        made.client.close()


def asked(settings: Settings, ask: Callable[[Any], Any]) -> None:
    """Ask a Redis on a loop of its own."""

    async def go() -> None:
        client = connect(settings)
        try:
            await ask(client)
        finally:
            await client.aclose()

    asyncio.run(go())


SET: bytes = hiredis.pack_command(("SET", "x", "1"))  # type: ignore[arg-type]
WRITES: dict[str, Callable[[Any], Any]] = {
    "a list": lambda c: Pipe(c).send([SET]),
    "an epoch": lambda c: RedisStorage(c, "p:").claim("0"),
    "a chunk": lambda c: RedisStorage(c, "p:").put("0", [Chunk("c", memoryview(b"x"))], 60),
    "a pointer": lambda c: RedisStorage(c, "p:").move("0", b"x", Guard()),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("refuse", [Store.lose_replicas, Store.fill_disk])
def test_a_refused_write_is_one_to_wait_for(
    store: Store, refuse: Callable[[Store], None], write: str
) -> None:
    settings = Settings(redis=store.url)
    asked(settings, WRITES[write])
    refuse(store)
    with pytest.raises(away(), match=r"MISCONF|NOREPLICAS"):
        asked(settings, WRITES[write])


def test_a_redis_that_cannot_save_is_waited_for_at_the_start(store: Store) -> None:
    store.fill_disk()
    with pytest.raises(RefusedForNow, match="MISCONF"):
        asked(Settings(redis=store.url), ping)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("MISCONF Redis is configured to save RDB snapshots", True),
        ("NOSCRIPT No matching script. Please use EVAL.", True),
        ("BUSY Redis is busy running a script", True),
        ("ERR Error running script (call to f_1): @user_script:4: -OOM command not allowed", True),
        ("CLUSTERDOWN The cluster is down", True),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", False),
        ("BUSYGROUP Consumer Group name already exists", False),
        ("ERR unknown command 'MISCONF'", False),
    ],
)
def test_what_passes_is_told_from_a_fault(text: str, passes: bool) -> None:
    assert isinstance(redis_error(text), away()) is passes


def test_a_worker_waits_while_redis_refuses_and_then_goes_on(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    own = msgspec.structs.replace(settings, redis=store.url, snapshot_every_s=0.5)
    flow = Flow(own, tmp_path)
    with flow.worker() as worker:
        flow.send(500)
        flow.wait(flow.all_committed)
        store.lose_replicas()
        flow.send(500)
        flow.wait(
            lambda: bool(re.search("waiting for redis: .*NOREPLICAS", worker.log.read_text()))
        )
        store.client.config_set("min-replicas-to-write", 0)
        flow.wait(flow.all_committed)
        assert "redis is back" in worker.log.read_text()
    flow.check()
