"""`headwater thaw`: what `headwater freeze` has frozen learns again, from now on."""

import argparse
from typing import TYPE_CHECKING

from contracts.control import THAW
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `thaw`."""
    from headwater import orders

    about = "What came while frozen is not learned afterwards; people's histories have it."
    parser = subparsers.add_parser("thaw", help=COMMANDS["thaw"][1], description=about)
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not."""
    from headwater import orders

    return orders.run(args, settings, orders.draft(THAW))
