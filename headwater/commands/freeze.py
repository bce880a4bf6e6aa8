"""`headwater freeze`: from now on nothing is learned, until `headwater thaw`."""

import argparse
from typing import TYPE_CHECKING

from contracts.control import FREEZE
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `freeze`."""
    from headwater import orders

    about = (
        "Of lists, items and the fusion's weights stay as they are; people's own histories go on, "
        "lists are made and judged. A predictor goes on answering, and its answers are judged. "
        "Every worker does it at the same place of the log."
    )
    parser = subparsers.add_parser("freeze", help=COMMANDS["freeze"][1], description=about)
    orders.model(parser)
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not.

    Raises:
        InputError: there is no such model.
    """
    from headwater import orders

    model = orders.known(settings, args.model)
    return orders.run(args, settings, orders.draft(FREEZE, learner=model))
