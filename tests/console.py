"""The console producer of Apache Kafka: the real one, on the broker's Java and jars.

`python -m tests.console` locks its jar anew, in the version of the broker's.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.settings import Settings
from headwater.local import jars, java

LOCK = Path(__file__).with_name("kafka-tools.lock.toml")
ROOT = jars.ROOTS[0].replace("kafka_2.13", "kafka-tools")
MAIN = "org.apache.kafka.tools.ConsoleProducer"
KEYED = ("--reader-property", "parse.key=true", "--reader-property", "key.separator=\t")
END_S = 30.0


class Console:
    """A running console producer; each line that it is given becomes a message."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child

    def write(self, lines: Iterable[str]) -> None:
        """Hand lines over; the producer sends them when it likes."""
        assert self._child.stdin is not None
        self._child.stdin.writelines(f"{line}\n" for line in lines)
        self._child.stdin.flush()


@contextmanager
def console(settings: Settings, log: Path, *options: str) -> Iterator[Console]:
    """Run a console producer for `interactions`; at the end of the block all is sent."""
    topic = f"{settings.topic_prefix}interactions"
    args = [*_command(), "--bootstrap-server", settings.kafka, "--topic", topic, *options]
    with log.open("a") as out:
        child = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)
    try:
        yield Console(child)
        child.communicate(timeout=END_S)  # the end of its input ends it
    finally:
        child.kill()
        child.wait()
    said = log.read_text(encoding="utf-8")
    assert child.returncode == 0, said
    assert "ERROR" not in said, said  # it ends with 0 even if nothing was sent


def _command() -> list[str]:
    folder = jars.cache(os.environ)
    classpath = [*jars.ensure(folder), *jars.ensure(folder, LOCK)]
    return [
        str(java.find(os.environ).path),
        *("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        *("-cp", os.pathsep.join(map(str, classpath)), MAIN),
    ]


if __name__ == "__main__":
    jars.relock(jars.cache(os.environ), LOCK, [ROOT], alone=True)
