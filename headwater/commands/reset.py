"""`headwater reset LEARNER`: one learner begins anew, the others keep what they know."""

import argparse
from typing import TYPE_CHECKING

from contracts import pipeline
from contracts.control import RESET, clearable
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `reset`."""
    from headwater import orders

    about = (
        "What was learned is not kept anywhere but in older snapshots. People's histories stay. "
        "Features that wait for their label wait on: the new predictor learns from them."
    )
    parser = subparsers.add_parser("reset", help=COMMANDS["reset"][1], description=about)
    parser.add_argument(
        "learner",
        metavar="LEARNER",
        help="a predictor of the settings; of lists a generator, head, or lists for all of them",
    )
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not.

    Raises:
        InputError: neither the pipeline nor the settings have such a learner.
    """
    from headwater import orders

    of_lists = clearable(pipeline.read(settings.pipeline))
    learner = orders.known(settings, args.learner, of_lists)
    return orders.run(args, settings, orders.draft(RESET, learner=learner))
