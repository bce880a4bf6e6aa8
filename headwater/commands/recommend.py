"""`headwater recommend USER`: read an answer from Redis as any client would."""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from contracts import exits, pipeline
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("recommend", help=COMMANDS["recommend"][1])
    parser.add_argument("user", metavar="USER", help="id of the user, as in the events")
    parser.add_argument("--scenario", default="", metavar="NAME", help="the list of a scenario")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(args: Namespace, settings: Settings) -> int:
    """Print the list; someone without one gets what is trending, and it says so.

    Raises:
        InputError: the pipeline has scenarios, and none of that name.
    """
    from headwater import lists
    from state.answers import OWN, Answers

    known = pipeline.read(settings.pipeline).scenarios
    if args.scenario and known and args.scenario not in known:
        raise InputError(
            f"no scenario '{args.scenario}'; {settings.pipeline} has {', '.join(known)}"
        )
    with Answers(settings) as answers:
        answer = answers.recommend(args.user, args.scenario)
        lists.show(answer, args.json)
    if args.scenario and answer.source != OWN:
        sys.stderr.write(
            "who looks for the list of a scenario has it made; ask again in a second\n"
        )
    return exits.OK.code
