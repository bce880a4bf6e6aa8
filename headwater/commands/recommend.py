"""`headwater recommend USER`: read an answer from Redis as any client would."""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from contracts import exits, pipeline
from contracts.errors import InputError
from contracts.segments import segment
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("recommend", help=COMMANDS["recommend"][1])
    parser.add_argument("user", metavar="USER", help="id of the user, as in the events")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--scenario", default="", metavar="NAME", help="the list of a scenario")
    kind.add_argument(
        "--segment", action="append", default=[], metavar="NAME=VALUE",
        help="for who has no list, that of a segment; may be given again, the first counts most",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(args: Namespace, settings: Settings) -> int:
    """Print the list; someone without one gets what is trending, and it says so.

    Raises:
        InputError: the pipeline has scenarios, and none of that name, or looks at other segments.
    """
    from headwater import lists
    from state.answers import OWN, Answers

    chosen = pipeline.read(settings.pipeline)
    known = chosen.scenarios
    if args.scenario and known and args.scenario not in known:
        raise InputError(
            f"no scenario '{args.scenario}'; {settings.pipeline} has {', '.join(known)}"
        )
    segments = [_segment(text, settings, chosen.segments.context) for text in args.segment]
    with Answers(settings) as answers:
        answer = answers.recommend(args.user, args.scenario, segments)
        lists.show(answer, args.json)
    if args.scenario and answer.source != OWN:
        sys.stderr.write(
            "who looks for the list of a scenario has it made; ask again in a second\n"
        )
    return exits.OK.code


def _segment(text: str, settings: Settings, contexts: tuple[str, ...]) -> str:
    name, _, value = text.partition("=")
    if not segment(name, value):
        raise InputError(
            f"'{text}' is no segment; write a name of a context and a value, name=value"
        )
    if contexts and name not in contexts:
        raise InputError(
            f"no segments of '{name}'; {settings.pipeline} has those of {', '.join(contexts)}"
        )
    return text
