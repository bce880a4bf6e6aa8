"""A Kafka and a Redis of one's own, for the demo and the tests, that end with whoever asked."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from headwater.local import broker, ports, redis_server
from headwater.local.processes import Supervised, spawn
from headwater.local.recipe import Recipe, wait


class Service:
    """One running service, and what can befall it. `address` stays the same through all of it."""

    def __init__(self, recipe: Recipe, environ: Mapping[str, str]) -> None:
        self._recipe = recipe
        self._environ = environ
        self.address = recipe.address
        self.process: Supervised = self._spawn()

    def pause(self) -> None:
        """Stop its clock (SIGSTOP): connections stay open, nothing answers."""
        self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run on after `pause` (SIGCONT)."""
        self.process.send(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL) and return when it is gone."""
        self.process.send(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in good order (SIGTERM)."""
        self.process.stop()

    def restart(self) -> None:
        """Start it again on the same port and data, ending it first if it runs; wait for it."""
        self.stop()
        self.process = self._spawn()
        self.wait()

    def wait(self) -> None:
        """Return as soon as it answers.

        Raises:
            ServiceFailed: it ended at its start or does not answer.
        """
        wait(self._recipe, lambda: self.process.alive)

    def _spawn(self) -> Supervised:
        return spawn(self._recipe.args, self._recipe.log, self._environ)


class Services(NamedTuple):
    """A running Kafka and Redis: `kafka_address` is host:port, `redis_url` a redis:// URL."""

    kafka: Service
    redis: Service

    @property
    def kafka_address(self) -> str:
        """What goes into the setting `kafka`."""
        return self.kafka.address

    @property
    def redis_url(self) -> str:
        """What goes into the setting `redis`."""
        return self.redis.address


@contextmanager
def services(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Services]:
    """Run a Kafka and a Redis on free ports, with their data and logs in `folder`.

    Both answer when the block begins and have ended when it is left, or when this process is
    gone, SIGKILL included. The folder is left in place.

    Raises:
        ServiceFailed: one of them did not start.
    """
    with ExitStack() as stack:
        redis = stack.enter_context(local_redis(folder / "redis", environ))
        kafka = stack.enter_context(local_kafka(folder / "kafka", environ))
        yield Services(kafka, redis)


@contextmanager
def local_kafka(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Run a Kafka alone, as `services` does."""
    known = os.environ if environ is None else environ

    def recipe() -> Recipe:
        return broker.recipe(folder, ports.quiet(), ports.quiet(), known)

    with _running(recipe, known) as service:
        yield service


@contextmanager
def local_redis(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Run a Redis alone, as `services` does."""
    known = os.environ if environ is None else environ
    with _running(lambda: redis_server.recipe(folder, ports.quiet(), known), known) as service:
        yield service


@contextmanager
def _running(recipe: Callable[[], Recipe], environ: Mapping[str, str]) -> Iterator[Service]:
    service = Service(recipe(), environ)
    try:
        service.wait()
        yield service
    finally:
        service.stop()
