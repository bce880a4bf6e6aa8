"""`headwater watch`: the live view of any running system, in the terminal."""

import argparse
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `watch`."""
    parser = subparsers.add_parser("watch", help=COMMANDS["watch"][1])
    parser.add_argument(
        "--metrics",
        metavar="URL",
        action="append",
        default=[],
        help="a worker's /metrics; give it once per worker (default: by the settings)",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Show the view until Ctrl-C."""
    from headwater import watch
    from serving.live import Live

    live = Live(settings, args.metrics)
    try:
        watch.watch(live, lambda: f"Headwater at {settings.kafka}", lambda _: False)
    except KeyboardInterrupt:
        return exits.OK.code
    finally:
        live.close()
    return exits.OK.code
