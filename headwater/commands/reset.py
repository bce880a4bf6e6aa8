"""`headwater reset LEARNER`: one learner begins anew, the others keep what they know."""

import argparse
from typing import TYPE_CHECKING

from contracts import pipeline
from contracts.control import RESET, clearable
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `reset`."""
    from headwater import orders

    about = "What was learned is not kept anywhere but in older snapshots; people's histories stay."
    parser = subparsers.add_parser("reset", help=COMMANDS["reset"][1], description=about)
    parser.add_argument(
        "learner",
        metavar="LEARNER",
        help="a generator of the pipeline, head, or lists for all of them",
    )
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not.

    Raises:
        InputError: the pipeline has no such learner.
    """
    from headwater import orders

    known = clearable(pipeline.read(settings.pipeline))
    if args.learner not in known:
        more = "; predictors cannot be reset yet" if args.learner in settings.predictors else ""
        raise InputError(f"no learner '{args.learner}'; there are {', '.join(known)}{more}")
    return orders.run(args, settings, orders.draft(RESET, learner=args.learner))
