"""Runs a worker until a signal, or until something that a user must hear of."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import faust

from contracts import exits
from contracts.errors import WorkerStalled
from contracts.settings import Settings
from state.connection import away, connect, ping
from streams.app import Components, build, standard_units
from streams.shards import Telemetry, Unit
from streams.telemetry.http import Health
from streams.worker import memory, startup

if TYPE_CHECKING:
    from redis.asyncio import Redis

Make = Callable[[Settings, Telemetry, "Redis"], Sequence[Unit]]
log = logging.getLogger(__name__)
STOP_AT_MOST_S = 30.0  # a large state takes its time; what hangs longer would hang for ever
SWITCH_S = 0.0005  # the consumer's thread waits so long for a busy learner, not 5 ms


def run(
    settings: Settings,
    telemetry: Telemetry,
    health: Health,
    rebuild: bool = False,
    make: Make = standard_units,
) -> None:
    """Work until SIGTERM or Ctrl-C; then finish what is in hand, save, commit and return.

    `rebuild` first lets all snapshots go, so that the state is made anew from the log; `make`
    returns the units to fold.

    Raises:
        HeadwaterError: it cannot start or go on; its class is the exit code.
    """
    startup.check_key(settings)
    startup.check_kafka(settings)  # before the kernels are loaded: that takes seconds
    redis = connect(settings)
    units = make(settings, telemetry, redis)
    identity = startup.identify(settings, units)
    asyncio.run(_redis_ready(settings, rebuild))
    sys.setswitchinterval(SWITCH_S)
    memory.settle()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    components = Components(settings, redis, units, identity, telemetry, health)
    app = build(settings, components)
    worker = Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)

    def ended() -> None:
        health.ready, health.reason = False, str(components.manager.error)
        worker.end()

    components.manager.ended = ended
    try:
        worker.execute_from_commandline()
    except SystemExit:
        pass
    except Exception as error:
        if components.manager.error is None:
            raise WorkerStalled(f"the worker died: {error!r}; restart it, read the log") from error
    finally:
        health.ready, health.reason = False, "stopped"
    if components.manager.error is not None:
        raise components.manager.error
    log.info("stopped in good order")


class Worker(faust.Worker):
    """Faust's worker, which can also be asked to end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spinner = None  # it would write to the terminal

    def end(self) -> None:
        """Stop as if by a signal."""
        self._schedule_shutdown(signal.SIGTERM)

    def _gather_all(self) -> None:
        """End what is left; mode would look on for a second, and sleep for another one after it."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _sentinel_task(self) -> None:
        """Sleep no second before the loop is closed."""

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        timer = threading.Timer(STOP_AT_MOST_S, _leave)
        timer.daemon = True
        timer.start()
        super()._schedule_shutdown(signal)


def _leave() -> None:
    log.critical("the worker did not stop within %g s; it leaves as it is", STOP_AT_MOST_S)
    os._exit(exits.STALLED.code)


async def _redis_ready(settings: Settings, rebuild: bool) -> None:
    client = connect(settings)
    try:
        await startup.wait_for_redis(lambda: ping(client), away(), settings)
        if rebuild:
            from state.redis_storage import RedisStorage

            await RedisStorage(client, settings.key_prefix).clear()
            log.warning("all snapshots were let go; the state is made anew from the log")
    finally:
        await client.aclose()
