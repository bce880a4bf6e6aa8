"""Declared waits: for Kafka, for Redis, for state. Said once per change, shown by /readyz."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

from contracts.metrics import WAITING
from streams.shards import Telemetry
from streams.telemetry.http import Health

T = TypeVar("T")
log = logging.getLogger(__name__)
# What can be waited for, and the service that this concerns. The producer's wait is its own:
# that a fetch is answered does not end it.
SERVICES = {"kafka": "kafka", "producing": "kafka", "redis": "redis"}
SHORTEST_S, LONGEST_S = 0.1, 2.0


class Waits:
    """Knows what the worker waits for; ready when for nothing."""

    def __init__(self, telemetry: Telemetry, health: Health) -> None:
        self._telemetry = telemetry
        self._health = health
        self._because = {"start": "starting"}
        self.ended_at = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._because)

    def declare(self, what: str, reason: str) -> None:
        """Wait for something from now on."""
        if what not in self._because:
            self._because[what] = reason
            if service := SERVICES.get(what):
                log.warning("waiting for %s: %s", service, reason)
                self._telemetry.set(WAITING, 1, service=service)
            self._show()

    def over(self, what: str) -> None:
        """Wait for it no longer."""
        if self._because.pop(what, None) is not None:
            service = SERVICES.get(what)
            if service and not any(SERVICES.get(other) == service for other in self._because):
                log.warning("%s is back", service)
                self._telemetry.set(WAITING, 0, service=service)
            self.ended_at = time.monotonic()
            self._show()

    def _show(self) -> None:
        if not self._because and not self._health.ready:
            log.info("ready")
        self._health.ready = not self._because
        self._health.reason = "; ".join(self._because.values())


class Retry:
    """Asks until Kafka and Redis answer, and declares the wait meanwhile."""

    def __init__(self, waits: Waits, redis_away: tuple[type[Exception], ...]) -> None:
        self.waits = waits
        self._away: tuple[type[Exception], ...] = (*redis_away, KafkaError)

    async def until_answered(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer, however long it takes."""
        backoff, missed = Backoff(), set()
        while True:
            try:
                answer = await question()
            except self._away as error:
                service = "kafka" if isinstance(error, KafkaError) else "redis"
                self.waits.declare(service, str(error) or type(error).__name__)
                missed.add(service)
                await backoff.sleep()
            else:
                for service in missed:
                    self.waits.over(service)
                return answer


class Backoff:
    """Sleeps longer each time, up to two seconds."""

    def __init__(self) -> None:
        self._next_s = SHORTEST_S

    async def sleep(self) -> None:
        """Sleep once."""
        await asyncio.sleep(self._next_s)
        self._next_s = min(LONGEST_S, self._next_s * 2)
