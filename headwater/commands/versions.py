"""`headwater versions`: what the state can be taken back to."""

import asyncio
import json
import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from contracts import exits
from contracts.settings import Settings
from contracts.topics import CONTROL
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from state.versions import Version


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    about = (
        "A version is an instant at which a worker saved all it knew, named by its time in UTC. "
        "The newest HEADWATER_SNAPSHOTS_KEPT are kept, and HEADWATER_VERSIONS_KEPT older ones."
    )
    parser = subparsers.add_parser("versions", help=COMMANDS["versions"][1], description=about)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace, settings: Settings) -> int:
    """Print the versions, newest first."""
    from streams.worker.startup import check_key

    check_key(settings)
    found = asyncio.run(_read(settings))
    if args.json:
        sys.stdout.write(json.dumps([_as_dict(version) for version in found], indent=2) + "\n")
    elif not found:
        sys.stdout.write("no versions: no worker has saved anything under this key\n")
    else:
        _table(found)
    return exits.OK.code


async def _read(settings: Settings) -> "list[Version]":
    from state import versions
    from state.opened import opened

    async with opened(settings) as store:
        return await versions.read(store)


def _as_dict(version: "Version") -> dict[str, Any]:
    return {
        "version": version.name,
        "created": version.created,
        "age_s": round(time.time() - version.created, 3),
        "offsets": version.offsets,
        "records": _records(version),
        "bytes": version.size,
        "complete": version.complete,
        "missing": list(version.missing),
    }


def _records(version: "Version") -> int:
    events = (at for topic, at in version.offsets.items() if topic != CONTROL.name)
    return sum(offset for at in events for offset in at.values())


def _table(found: "list[Version]") -> None:
    from headwater.tables import age, size, table

    rows = [
        (
            version.name,
            age(time.time() - version.created),
            f"{_records(version):,}",
            size(version.size),
            "yes" if version.complete else f"no: lacks {', '.join(version.missing)}",
        )
        for version in found
    ]
    table(("version", "age", "records", "size", "complete"), rows, right=(1, 2, 3))
