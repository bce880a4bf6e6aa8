"""What `headwater up` leaves behind in its folder: who runs where, and the key for snapshots."""

import secrets
from pathlib import Path

import msgspec

from contracts.errors import ServiceFailed
from headwater.local.processes import born

NAMES = ("kafka", "redis")


class Running(msgspec.Struct, frozen=True):
    """One local service: its process, when that started (see `born`), and where it answers."""

    pid: int
    born: str
    port: int
    address: str
    log: str
    started: str

    def lives(self) -> bool:
        """Return whether this very process still runs."""
        return bool(self.born) and born(self.pid) == self.born


def read(home: Path) -> dict[str, Running]:
    """Return the services that run, by name; what has ended is left out.

    Raises:
        ServiceFailed: the file is not what `headwater up` writes.
    """
    path = home / "services.json"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Running])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise ServiceFailed(f"{path} cannot be read: {error}; end the services it names by "
                            "hand and delete it") from None  # fmt: skip
    return {name: running for name, running in found.items() if running.lives()}


def write(home: Path, services: dict[str, Running]) -> None:
    """Put down what runs; nobody ever reads half a file."""
    path = home / "services.json"
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(services), indent=2) + b"\n")
    fresh.replace(path)


def key(home: Path) -> str:
    """Return the key that signs snapshots, empty if none has been made."""
    try:
        return (home / "snapshot.key").read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def make_key(home: Path) -> str:
    """Return the key that signs snapshots; it is made once and only its owner can read it."""
    path = home / "snapshot.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    return key(home)
