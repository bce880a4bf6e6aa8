"""Real services for the tests: given by the environment, else Docker, else started locally."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from headwater.local import local_kafka, local_redis


@contextmanager
def kafka_address(folder: Path) -> Iterator[str]:
    """Give host:port of a broker: HEADWATER_TEST_KAFKA, else Docker, else a local one."""
    if given := os.environ.get("HEADWATER_TEST_KAFKA"):
        yield given
    elif docker_answers():
        from testcontainers.community.kafka import KafkaContainer

        with KafkaContainer().with_kraft() as container:
            yield container.get_bootstrap_server()
    else:
        with local_kafka(folder) as kafka:
            yield kafka.address


@contextmanager
def redis_url(folder: Path) -> Iterator[str]:
    """Give the URL of an empty Redis: HEADWATER_TEST_REDIS, else Docker, else a local one."""
    if given := os.environ.get("HEADWATER_TEST_REDIS"):
        _must_be_empty(given)
        yield given
    elif docker_answers():
        from testcontainers.community.redis import RedisContainer

        with RedisContainer("redis:7-alpine") as container:
            host, port = container.get_container_host_ip(), container.get_exposed_port(6379)
            yield f"redis://{host}:{port}/0"
    else:
        with local_redis(folder) as redis:
            yield redis.address


@cache
def docker_answers() -> bool:
    """Return whether a Docker engine answers; a client without an engine does not count.

    Asked by hand: the docker package leaves its socket open when nothing answers.
    """
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True  # someone has named an engine elsewhere
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(3)
        try:
            probe.connect(host.removeprefix("unix://"))
        except OSError:
            return False
        probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b"200 OK" in probe.recv(256)


def _must_be_empty(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        if held := client.dbsize():
            pytest.exit(f"HEADWATER_TEST_REDIS={url} holds {held} keys; name an empty database")


def forget(kafka: str, url: str, topic_prefix: str, key_prefix: str) -> None:
    """Remove what a test has left: its topics and its keys."""
    import redis
    from kafka import KafkaAdminClient

    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        mine = [name for name in admin.list_topics() if name.startswith(topic_prefix)]
        if mine:
            admin.delete_topics(mine)
    with redis.Redis.from_url(url) as client:
        keys = list(client.scan_iter(f"{key_prefix}*", count=1000))
        if keys:
            client.unlink(*keys)
