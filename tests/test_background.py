"""Duties of a worker: none ends unnoticed, and all of them end when they are told to."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from contracts.errors import WorkerStalled
from contracts.settings import Settings
from streams.worker.background import BackgroundTasks


class Duties:
    """A worker's duties, of which a test gives the only one; `errors` is what ended the worker."""

    def __init__(self, duty: Coroutine[Any, Any, None]) -> None:
        self.errors: list[BaseException] = []
        manager: Any = SimpleNamespace(owned_shards=[], outbox=None, fail=self.errors.append)
        nobody: Any = None
        self.tasks = BackgroundTasks(manager, nobody, nobody, Settings(), nobody, nobody, nobody)
        self.tasks._begin(duty)


async def asked_twice() -> None:
    """Pass over the first cancellation, as Python 3.11's `wait_for` does when an answer comes."""
    for _ in range(2):
        try:
            await asyncio.sleep(60.0)
        except asyncio.CancelledError:
            continue


async def cancelled() -> None:
    """End as who waits for a task of aiokafka that is cancelled by its own client."""
    task = asyncio.create_task(asyncio.sleep(60.0))
    await asyncio.sleep(0)
    task.cancel()
    await task


def test_a_duty_that_passes_over_its_end_does_not_hold_the_stop_up() -> None:
    async def go() -> list[BaseException]:
        duties = Duties(asked_twice())
        await asyncio.sleep(0)
        await asyncio.wait_for(duties.tasks.stop(), 10.0)
        return duties.errors

    assert asyncio.run(go()) == []


def test_a_duty_that_nobody_has_ended_ends_the_worker() -> None:
    async def go() -> list[BaseException]:
        duties = Duties(cancelled())
        await asyncio.sleep(0.05)
        return duties.errors

    (error,) = asyncio.run(go())
    assert isinstance(error, WorkerStalled)
    assert "cancelled" in str(error)
