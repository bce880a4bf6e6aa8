"""`headwater recommend USER`: read an answer from Redis as any client would."""

from argparse import Namespace
from typing import TYPE_CHECKING

from contracts import exits
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
    """Print the list; someone without one gets what is trending, and it says so."""
    from headwater import lists
    from state.answers import Answers

    with Answers(settings) as answers:
        lists.show(answers.recommend(args.user, args.scenario), args.json)
    return exits.OK.code
