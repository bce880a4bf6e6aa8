"""Standstill: while the state is copied, nothing changes it, and the loop goes on with all else.

Copying 200 MB takes some tenths of a second. In one go between two batches it would hold up whoever
asks for health, the answers of Redis and the group's heartbeat, so another thread copies and only
the folding of events waits.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Standstill:
    """Whoever changes state calls `over` before, and changes it before it awaits anything else."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._over.set()
        self._copies = 0

    async def over(self) -> None:
        """Return when nobody copies."""
        while self._copies:  # the next copy may have begun before we, woken by the last one, run
            await self._over.wait()

    async def during(self, copy: Callable[[], T]) -> T:
        """Copy in another thread, nothing being changed meanwhile."""
        self._copies += 1
        self._over.clear()
        copying = asyncio.ensure_future(asyncio.to_thread(copy))
        try:
            return await asyncio.shield(copying)
        finally:
            if not copying.done():  # we were cancelled; the thread was not, and must not be outrun
                await asyncio.wait([copying])
            self._copies -= 1
            if not self._copies:
                self._over.set()
