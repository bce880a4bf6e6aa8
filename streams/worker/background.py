"""What a worker does beside handling batches: deliver, look, save, refresh, obey, tick, watch.

Each duty is a task for as long as the worker runs; if one ends, so does the worker.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from contracts.errors import WorkerStalled
from contracts.settings import Settings
from streams.control.reader import TopicReader
from streams.shards import Ticking
from streams.worker.alone import ended
from streams.worker.follower import Follower
from streams.worker.manager import ShardManager
from streams.worker.refresher import Refresher
from streams.worker.steward import Steward
from streams.worker.waits import Waits
from streams.worker.watchdog import Watchdog

LOOK_EVERY_S = 1.0
REFRESH_EVERY_S = 0.1
SAVING = 0.1  # share of the time spent saving at most, whatever the size of the state
Duties = Sequence[Callable[[], Coroutine[Any, Any, None]]]


class BackgroundTasks:
    """Runs the duties; `start` and `stop` on the app's loop.

    `people` are the duties that read `users`; `catalogue` are those that hide items.
    """

    def __init__(
        self,
        manager: ShardManager,
        watchdog: Watchdog,
        waits: Waits,
        settings: Settings,
        orders: TopicReader,
        steward: Steward,
        follower: Follower,
    ) -> None:
        self.people: Duties = ()
        self.catalogue: Duties = ()
        self._manager = manager
        self._orders = orders
        self._steward = steward
        self._follower = follower
        self._waits = waits
        self._watchdog = watchdog
        self._settings = settings
        self._refresher = Refresher(
            manager.owned_shards, manager.outbox, lambda: manager.processor.idle
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._begin(self._manager.outbox.run())
        self._begin(self._watchdog.run())
        self._begin(self._orders.run())
        self._begin(self._follower.run())
        for duty in (*self.people, *self.catalogue):
            self._begin(duty())
        self._begin(self._steward.run())
        self._begin(self._every(LOOK_EVERY_S, self._look, asks_redis=True))
        self._begin(self._every(self._settings.snapshot_every_s, self._manager.save, SAVING))
        self._begin(self._every(self._manager.saver.instants.left, self._manager.save))
        if share := self._settings.refresh_share:
            self._begin(self._every(REFRESH_EVERY_S, self._refresher.refresh, share))
        for unit in self._manager.owned_shards.units:
            if isinstance(unit, Ticking):
                self._begin(self._every(unit.every_s, unit.tick))

    async def stop(self) -> None:
        """End all of them."""
        tasks, self._tasks = self._tasks, []
        await ended(tasks)

    async def _look(self) -> None:
        await self._manager.ownership.look(list(self._manager.owned_shards))

    def _begin(self, duty: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(duty)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._manager.fail(error)
        elif task in self._tasks:  # nobody has asked for its end: a client cancels who waits for it
            self._manager.fail(
                WorkerStalled(f"a task of the worker ended: {task.get_coro()!r:.80}; restart it")
            )

    async def _every(
        self,
        seconds: float | Callable[[], float],
        work: Callable[[], Awaitable[None]],
        share: float = 1.0,
        asks_redis: bool = False,
    ) -> None:
        """Do it again and again; only what always asks Redis may say that Redis is back."""
        waits = self._waits
        while True:
            begun = time.monotonic()
            try:
                if len(self._manager.owned_shards):
                    await work()
            except self._manager.away as error:
                waits.declare("redis", str(error) or type(error).__name__)
            else:
                asked = asks_redis and len(self._manager.owned_shards) > 0
                if asked and not self._manager.outbox.stuck:
                    waits.over("redis")
            took = time.monotonic() - begun
            pause = seconds() if callable(seconds) else seconds
            await asyncio.sleep(max(pause, took / share))
