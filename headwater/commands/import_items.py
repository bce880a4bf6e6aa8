"""`headwater import-items FILE`: send a catalogue to `items`, or remove what a file names."""

import argparse
import sys
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS
from headwater.progress import counting

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    about = (
        "Every other column is an attribute. An item that was sent before has what it says now, "
        "and nothing of what it said then."
    )
    parser = subparsers.add_parser(
        "import-items", help=COMMANDS["import-items"][1], description=about
    )
    option = parser.add_argument
    option("file", metavar="FILE", help="CSV with a header or JSON lines, gzip or not; - is stdin")
    option("--item", metavar="COLUMN", default="item", help="column of the id (default: item)")
    option(
        "--hidden",
        metavar="COLUMN",
        default="",
        help="column that says true for what may not be shown (default: hidden, if there is one)",
    )
    option(
        "--several",
        metavar="COLUMN",
        action="append",
        default=[],
        help="a column of several values with | in between; may be given again",
    )
    option("--remove", action="store_true", help="remove the items of the file from the catalogue")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send the file; returns the exit code."""
    from streams.kafka import producer
    from streams.sources import items

    columns = items.Columns(args.item, args.hidden, args.several)
    with counting("sent", None) as tell:
        try:
            sent = producer.items(items.read(args.file, columns), settings, tell, args.remove)
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted after {tell.count} items of {args.file}\n")
            return exits.INTERRUPTED.code
    what = "removed from" if args.remove else "sent to"
    sys.stdout.write(f"{sent} items {what} the catalogue at {settings.kafka}\n")
    return exits.OK.code
