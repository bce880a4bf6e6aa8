"""One piece of work at a time: the next begins when the one before has ended.

A cancellation can be swallowed: Python 3.11's `wait_for`, and so aiokafka, returns the answer if it
has come meanwhile. A task that was cancelled once and forgotten then works on beside its successor.
Two that opened shards at once dropped each other's; chaos found it (two workers, seed 22).
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

AGAIN_S = 0.1
Work = Callable[[], Coroutine[Any, Any, None]]


class Alone:
    """Runs works as tasks, never two at once; the newest is the one that is wanted."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Work) -> asyncio.Task[None]:
        """Cancel all others and return the task that does this as soon as they have ended."""
        task = asyncio.get_running_loop().create_task(_after(set(self._running), work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def end(self) -> None:
        """Cancel all and return when they have ended."""
        await ended(self._running)


async def _after(others: Collection[asyncio.Task[None]], work: Work) -> None:
    await ended(others)
    await work()


async def ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel all of these until they have ended."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=AGAIN_S)
