"""A real Apache Kafka broker (KRaft, one node) as a child process."""

import base64
import os
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import KafkaAway, ServiceFailed
from contracts.settings import Settings
from headwater.local import jars, java
from headwater.local.recipe import Recipe, connects, last_line

MAIN = "kafka.Kafka"
STORAGE = "kafka.tools.StorageTool"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
# One node holds everything once; few internal partitions start and stop faster.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# After a SIGKILL the next start waits for the session of the last one: 4 s instead of 13.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# The cleaner's buffer is taken from the heap at the start; 128 MB is a quarter of ours.
log.cleaner.dedupe.buffer.size=8388608
"""


def recipe(folder: Path, port: int, controller: int, environ: Mapping[str, str]) -> Recipe:
    """Prepare `folder` and return how to start the broker; data of an earlier run is kept.

    Raises:
        ServiceFailed: no Java, no jars, or the folder cannot be formatted.
    """
    folder = folder.resolve()
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    command = _command(environ)
    config = folder / "server.properties"
    config.write_text(PROPERTIES.format(port=port, controller=controller, data=data))
    if not (data / "meta.properties").exists():
        _format(command, config, folder / "format.log")
    address = f"127.0.0.1:{port}"
    args = [*command, MAIN, str(config)]
    return Recipe("Kafka", args, folder / "kafka.log", port, address, answers)


def answers(address: str) -> bool:
    """Return whether the broker gives its metadata."""
    if not connects(int(address.rpartition(":")[2])):
        return False
    from streams.kafka.admin import admin

    try:
        with admin(Settings(kafka=address), wait_s=2) as client:
            return bool(client.describe_cluster()["brokers"])
    except KafkaAway:
        return False


def _command(environ: Mapping[str, str]) -> list[str]:
    found = java.find(environ)
    classpath = os.pathsep.join(str(jar) for jar in jars.ensure(jars.cache(environ)))
    return [
        str(found.path),
        # The optimizing compiler would take a quarter of a core for minutes, from the worker.
        *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"),
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        *("-cp", classpath),
    ]


def _format(command: list[str], config: Path, log: Path) -> None:
    # The dash of a random id would be read as an option.
    cluster = "h" + base64.urlsafe_b64encode(uuid.uuid4().bytes)[1:22].decode()
    args = [*command, STORAGE, "format", "-t", cluster, "-c", str(config)]
    with log.open("w") as out:
        done = subprocess.run(args, stdout=out, stderr=out, timeout=120, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise ServiceFailed(f"Kafka's folder cannot be formatted: {last_line(log)}")
