"""`headwater audit`: what was done to the models, by whom, when, why, and what came of it."""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from state.audit import Entry


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `audit`."""
    parser = subparsers.add_parser("audit", help=COMMANDS["audit"][1])
    parser.add_argument("--json", action="store_true", help="print one line of JSON per entry")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print all entries, oldest first."""
    from headwater import orders

    found = orders.entries(settings)
    for entry in found:
        print(json.dumps(msgspec.to_builtins(entry)) if args.json else _line(entry))
    if not found:
        print("nothing was ever done to the models", file=sys.stderr)
    return exits.OK.code


def _line(entry: "Entry") -> str:
    from headwater import lists, orders

    when = datetime.fromtimestamp(entry.asked or entry.done, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    about = (entry.action, entry.learner, entry.version, entry.since, entry.person)
    what = " ".join(filter(None, about))
    why = f": {entry.why}" if entry.why else ""
    text = f"{when} {entry.id} {what}, {orders.told(entry)}, by {entry.who or 'nobody'}{why}"
    return lists.plain(text)
