"""`headwater snapshot list|verify|export FILE|import FILE`: look after what workers have saved."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import exits
from contracts.errors import InputError
from contracts.settings import SHORTEST_KEY, Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from state.versions import Version

ABOUT = (
    "list shows what is saved of each shard. verify learns the log anew up to a version, beside "
    "the workers, and compares. export writes a version into one file. import puts such a file in "
    "the place of all that is saved; stop the workers first."
)
FOR_FILES = ("export", "import")
FOR_ADOPTING = ("same", "start")


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("snapshot", help=COMMANDS["snapshot"][1], description=ABOUT)
    option = parser.add_argument
    option("action", choices=("list", "verify", *FOR_FILES), help="what to do")
    option("file", metavar="FILE", nargs="?", help="of export and import")
    option("--version", metavar="VERSION", help="verify or export this one of `headwater versions`")
    option(
        "--adopt",
        choices=FOR_ADOPTING,
        help="import the state of another cluster or of other topics: the same events stand there "
        "at the same offsets, or its new topics start with what comes next",
    )
    option("--signed-by", metavar="KEYFILE", help="import what the key in this file has signed")
    option("--json", action="store_true", help="with list and verify: print JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it; the exit code of verify says whether all is equal."""
    _check(args)
    from streams.worker.startup import check_key

    check_key(settings)
    if args.action == "list":
        from headwater import saved

        saved.show(settings, args.json)
        return exits.OK.code
    if args.action == "verify":
        from headwater import verified

        return verified.show(settings, args.version or "", args.json)
    return _export(args, settings) if args.action == "export" else _import(args, settings)


def _check(args: argparse.Namespace) -> None:
    if (args.action in FOR_FILES) != (args.file is not None):
        raise InputError("export and import need a FILE, list and verify none")
    if args.action != "import" and (args.adopt or args.signed_by):
        raise InputError("--adopt and --signed-by belong to import")
    if args.json and args.action in FOR_FILES:
        raise InputError("--json belongs to list and verify")
    if args.version and args.action in ("list", "import"):
        raise InputError("--version belongs to verify and export")


def _export(args: argparse.Namespace, settings: Settings) -> int:
    from streams import backup

    path = Path(args.file)
    version = backup.export(settings, path, args.version or "")
    sys.stdout.write(f"{_said(version)}, written to {path}\n")
    return exits.OK.code


def _import(args: argparse.Namespace, settings: Settings) -> int:
    from streams import backup

    key = _key(args.signed_by) if args.signed_by else settings.snapshot_key
    version = backup.restore(settings, backup.Source(Path(args.file), key, args.adopt))
    sys.stdout.write(f"{_said(version)}, in place; start the workers\n")
    return exits.OK.code


def _key(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--signed-by {path}: {error}") from None
    if len(key) < SHORTEST_KEY:
        raise InputError(f"--signed-by {path}: a key has at least {SHORTEST_KEY} characters")
    return key


def _said(version: "Version") -> str:
    from headwater.tables import size

    return f"version {version.name}: {len(version.shards)} snapshots, {size(version.size)}"
