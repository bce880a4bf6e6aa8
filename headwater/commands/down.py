"""`headwater down`: stop the local Kafka and Redis."""

import argparse
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `down`."""
    about = "Stops what `headwater up` has started in the setting `home`. The data stays."
    subparsers.add_parser("down", help=COMMANDS["down"][1], description=about)


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - no options
    """Stop both; nothing happens if nothing runs."""
    from headwater.local import background

    background.down(settings, print)
    return exits.OK.code
