"""`headwater forget USER`: a person is taken out, and a receipt says of what and what remains."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from contracts import exits
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `forget`."""
    from headwater import orders

    about = (
        "What the person taught is subtracted as far as the kept history tells; events of the "
        "person from before, whoever reads them again, are void from now on."
    )
    parser = subparsers.add_parser("forget", help=COMMANDS["forget"][1], description=about)
    parser.add_argument("user", metavar="USER", help="id of the user, as in the events")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="subtract also what only the log still tells; the partition stands still meanwhile",
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="then learn all that the log still has anew, without the person, while lists stay",
    )
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON")
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Have a person forgotten and print the receipt.

    Raises:
        InputError: nothing was held about the person.
    """
    from headwater import forgetting

    receipt = forgetting.forget(args, settings)
    if args.json:
        print(json.dumps(receipt.as_dict()))
    else:
        print("\n".join(receipt.lines()))
    sys.stdout.flush()
    if not args.no_wait and not receipt.held:
        raise InputError(
            f"nothing was held about '{args.user}'; events of that id that were sent before now "
            "are void all the same"
        )
    return exits.OK.code
