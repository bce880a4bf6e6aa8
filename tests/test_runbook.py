"""The runbook's commands run as they stand, in their order, and it leaves out nothing.

With a worker, unless a block says `without workers`; `on the new cluster` is with other topics and
keys.
"""

import ast
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from contracts import exits
from contracts.settings import Settings
from tests import services
from tests.docs_blocks import ROOT, Block, background, blocks, environment, given, output, placed

PAGE = "docs/runbook.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
WORKER = Block("run in the background", "bash", "exec headwater worker")
VERSION = "20261125T170503Z"  # as an operator would name it; ours is another one
TS = 1_735_689_600
SHOWS_LAG = re.compile(r"^Lag +(\d+)", re.M)


@pytest.fixture
def moved(settings: Settings) -> Iterator[Settings]:
    """Give settings of other topics and keys, as another cluster has them."""
    new = {name: f"n{getattr(settings, name)}" for name in ("group", "topic_prefix", "key_prefix")}
    changed = msgspec.structs.replace(settings, **new)
    yield changed
    services.forget(settings.kafka, settings.redis, changed.topic_prefix, changed.key_prefix)


def test_every_command_of_the_runbook_runs(
    settings: Settings, moved: Settings, tmp_path: Path
) -> None:
    with Night(environment(tmp_path) | given(settings), tmp_path) as night:
        night.say("headwater topics")
        produce(settings)
        night.until_learned()
        for block in blocks(PAGE):
            where = moved if "on the new cluster" in block.how else settings
            night.run(placed(block, where), given(where))


def produce(settings: Settings) -> None:
    """Send some visits, a message that is no JSON and an event without item."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
    visits = [(f"user-{n % 20}", ("tea", "jam", "oat")[n % 3]) for n in range(200)]
    events: list[dict[str, Any]] = [
        {"event_id": f"r{n}", "user": user, "item": item, "action": "view", "ts": TS + n}
        for n, (user, item) in enumerate([*visits, ("ann", "tea"), ("ann", "jam")])
    ]
    events.append({"event_id": "r", "user": "ann", "action": "view", "ts": TS})
    for value in ("no JSON", *map(json.dumps, events)):
        user = re.search(r'"user": "([^"]+)', value)
        producer.produce(f"{settings.topic_prefix}interactions", value, user and user[1])
    assert producer.flush(30) == 0


class Night:
    """An operator's night: commands with a worker that runs, or does not, as they want it."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ, self._folder = environ, folder
        self._worker = ExitStack()
        self._runs = False

    def __enter__(self) -> "Night":
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def run(self, block: Block, environ: dict[str, str]) -> None:
        """Run a block with the settings of a cluster, with a worker or without, as it says."""
        self._work("without workers" not in block.how)
        code = block.code.replace(":9464", f":{self._environ['HEADWATER_METRICS_PORT']}")
        if VERSION in code:
            found = json.loads(self.say("headwater versions --json"))
            code = code.replace(VERSION, [v["version"] for v in found if v["complete"]][-1])
        output(block._replace(code=code), self._environ | environ, self._folder)

    def say(self, code: str) -> str:
        """Run a line of bash and return what it prints."""
        return output(Block("run", "bash", code), self._environ, self._folder)

    def until_learned(self) -> None:
        """Return when nothing waits."""
        self._work(True)
        while int(SHOWS_LAG.findall(self.say("headwater status"))[0]):
            pass

    def _work(self, wanted: bool) -> None:
        if wanted and not self._runs:
            self._worker.enter_context(background(WORKER, self._environ, self._folder))
        elif self._runs and not wanted:
            self._worker.close()
        self._runs = wanted


def test_every_block_of_the_runbook_is_run() -> None:
    assert [block.code for block in blocks(PAGE) if not block.how] == []


def test_every_exit_code_has_its_place() -> None:
    found = re.findall(r"^### Exit code (\d+)$", TEXT, re.M)
    assert list(map(int, found)) == [code.code for code in exits.EXITS if code.code]


def test_every_warning_in_a_workers_log_is_explained_once() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", TEXT.partition("## Log lines")[2], re.M)
    for said in (warnings := list(logged())):
        assert sum(row in said for row in rows) == 1, said
    assert [row for row in rows if not any(row in said for said in warnings)] == []


def logged() -> Iterator[str]:
    """Yield the text of each warning, error or worse that a worker can log."""
    for folder in ("streams", "state", "learners", "contracts"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    told = node.func.attr in ("warning", "error", "critical", "exception")
                    if told and ast.unparse(node.func.value) == "log":
                        yield ast.literal_eval(node.args[0])
