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

    about = (
        "What came while frozen is not learned afterwards; people's histories have it. Labels that "
        "came for a predictor have judged its answers, and are let go."
    )
    parser = subparsers.add_parser("thaw", help=COMMANDS["thaw"][1], description=about)
    orders.model(parser)
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not.

    Raises:
        InputError: there is no such model.
    """
    from headwater import orders

    model = orders.known(settings, args.model)
    return orders.run(args, settings, orders.draft(THAW, learner=model))
