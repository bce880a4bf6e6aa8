"""Starts a local Kafka and Redis that outlive the command, and stops them."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts.errors import InputError
from contracts.settings import Settings
from headwater.local import broker, jars, ports, record, redis_server
from headwater.local.processes import born, detach, end
from headwater.local.recipe import Recipe, wait
from headwater.local.record import Running

Say = Callable[[str], None]
KAFKA_PORT = 9092
REDIS_PORT = 6379
ANSWERS = {"kafka": broker.answers, "redis": redis_server.answers}


def up(settings: Settings, environ: Mapping[str, str], say: Say) -> dict[str, Running]:
    """Start what does not run yet, wait until both answer and return where they are.

    Data, logs and the record of what runs lie in the setting `home`. `say` is told each step.

    Raises:
        ServiceFailed: one did not start; what this call has started is stopped again.
    """
    home = Path(settings.home).resolve()
    with _alone(home):
        running = record.read(home)
        before = set(running)
        record.make_key(home)
        try:
            for name in record.NAMES:
                if name not in running:
                    _start(name, home, environ, running, say)
                else:
                    say(f"{_title(name)} runs already at {running[name].address}")
            _wait(running)
        except BaseException:
            for name in set(running) - before:
                end(running[name].pid, running[name].born)
            record.write(home, {name: running[name] for name in before})
            raise
        return running


def down(settings: Settings, say: Say) -> None:
    """Stop what `up` has started; data stays. Nothing happens if nothing runs."""
    home = Path(settings.home).resolve()
    if not home.exists():
        say(f"nothing runs: there is no {home}")
        return
    with _alone(home):
        running = record.read(home)
        for name, service in running.items():
            end(service.pid, service.born)
            say(f"{_title(name)} at {service.address} has stopped")
        if not running:
            say(f"nothing runs in {home}")
        (home / "services.json").unlink(missing_ok=True)


def _start(
    name: str, home: Path, environ: Mapping[str, str], running: dict[str, Running], say: Say
) -> None:
    recipe = _recipe(name, home, environ, say)
    pid = detach(recipe.args, recipe.log)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    running[name] = Running(pid, born(pid), recipe.port, recipe.address, str(recipe.log), now)
    record.write(home, running)  # before it answers: should we be killed now, `down` knows it


def _recipe(name: str, home: Path, environ: Mapping[str, str], say: Say) -> Recipe:
    wished = KAFKA_PORT if name == "kafka" else REDIS_PORT
    port = ports.next_free(wished)
    if port != wished:
        say(f"port {wished} is taken, {_title(name)} gets {port}")
    if name == "redis":
        recipe = redis_server.recipe(home / "redis", port, environ)
    else:
        if not jars.complete(jars.cache(environ)):
            say(f"fetching Kafka's jars (45 MB, once) into {jars.cache(environ)}")
        recipe = broker.recipe(home / "kafka", port, ports.next_free(port + 1), environ)
    return recipe._replace(log=home / "logs" / f"{name}.log")


def _wait(running: dict[str, Running]) -> None:
    for name, service in running.items():
        log, answers = Path(service.log), ANSWERS[name]
        recipe = Recipe(_title(name), [], log, service.port, service.address, answers)
        wait(recipe, service.lives)


def _title(name: str) -> str:
    return name.capitalize()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let only one `up` or `down` at a time work in this folder."""
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(f"HEADWATER_HOME={home}: {error.strerror}; name another folder") from None
    try:
        deadline = time.monotonic() + 120
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise InputError(f"another `headwater up` or `down` works in {home}; wait for it")
            time.sleep(0.1)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
