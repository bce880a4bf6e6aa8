"""`headwater export-user USER`: everything that is held about someone."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from contracts import exits
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `export-user`."""
    parser = subparsers.add_parser("export-user", help=COMMANDS["export-user"][1])
    parser.add_argument("user", metavar="USER", help="id of the user, as in the events")
    parser.add_argument("--log", action="store_true", help="read all topics for their events, too")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print what is held.

    Raises:
        InputError: nothing is.
    """
    from headwater import holdings, orders

    orders.check_key(settings)
    found = orders.answered(settings, lambda c: holdings.held(c, settings, args.user))
    if args.log:
        found["log"] = holdings.in_log(settings, args.user)
    if not any(found[part] for part in found if part != "user"):
        more = "" if args.log else "; --log looks for events that the log still has"
        raise InputError(f"nothing is held about '{args.user}'{more}")
    print(_text(found, None if args.json else 2))
    return exits.OK.code


def _text(found: dict[str, Any], indent: int | None) -> str:
    return json.dumps(found, indent=indent, ensure_ascii=False, default=str)
