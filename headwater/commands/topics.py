"""`headwater topics`: create the topics, or say what differs and what to do."""

import argparse
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from contracts.topics import TOPICS
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `topics`."""
    about = "Creates what is missing and changes nothing that exists; may be run again and again."
    parser = subparsers.add_parser("topics", help=COMMANDS["topics"][1], description=about)
    parser.add_argument("--check", action="store_true", help="create nothing")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print each difference with its remedy; exit code 13 if there is one."""
    from streams.kafka import topics

    differences = topics.check(settings) if args.check else topics.ensure(settings)
    for difference in differences:
        print(difference)
    if differences:
        return exits.TOPICS_DIFFER.code
    print(f"{len(TOPICS)} topics on {settings.kafka} are as agreed on")
    return exits.OK.code
