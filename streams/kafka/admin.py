"""One way to ask a broker about itself, with errors that a user can act on."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError

from contracts.errors import KafkaAway, SettingsError
from contracts.settings import Settings

READ = "read_committed"  # what a producer's transaction gave up was never said


class _Admin(KafkaAdminClient):
    """The admin client, which otherwise leaves a thread and sockets when nobody answers."""

    def __init__(self, **configs: Any) -> None:
        self._closed = False
        try:
            super().__init__(**configs)
        except BaseException:
            self.close()
            raise


@contextmanager
def admin(settings: Settings, wait_s: float | None = None) -> Iterator[KafkaAdminClient]:
    """Give an admin client that has reached a broker, within `wait_s` (setting `wait_s`).

    Raises:
        KafkaAway: no broker answers, now or during the block.
        SettingsError: the addresses are not host:port, or the broker does not allow this.
    """
    wait = settings.wait_s if wait_s is None else wait_s
    options = {"bootstrap_servers": servers(settings), "client_id": "headwater"}
    try:
        _reach(servers(settings), wait)
        with _Admin(**options, bootstrap_timeout_ms=int(wait * 1000)) as client:
            yield client
    except AuthorizationError as error:
        raise SettingsError(
            f"the broker at {settings.kafka} does not allow this: {error}; ask for the right"
        ) from None
    except (KafkaError, OSError) as error:
        raise KafkaAway(
            f"no broker answers at {settings.kafka} within {wait:g} s ({error}); "
            "check HEADWATER_KAFKA, or run `headwater up`"
        ) from None


def servers(settings: Settings) -> list[str]:
    """Return the addresses of the setting `kafka`, each checked to be host:port.

    Raises:
        SettingsError: one is not.
    """
    found = [part.strip() for part in settings.kafka.split(",")]
    for address in found:
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 65_536):
            raise SettingsError(f"HEADWATER_KAFKA must be host:port,host:port …, got '{address}'")
    return found


def _reach(addresses: list[str], wait_s: float) -> None:
    """Wait until one of them takes a connection: kafka-python leaks each one that fails.

    Raises:
        OSError: none did in time; the reason is that of the last try.
    """
    deadline = time.monotonic() + wait_s
    while True:
        for address in addresses:
            host, _, port = address.rpartition(":")
            try:
                return socket.create_connection((host.strip("[]"), int(port)), timeout=3).close()
            except OSError as error:
                last = error
        if time.monotonic() > deadline:
            raise last
        time.sleep(0.1)
