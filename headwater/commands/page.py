"""`headwater page`: a live view of a running system as a local web page."""

import contextlib
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS, port

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("page", help=COMMANDS["page"][1])
    parser.add_argument(
        "--port", type=port, metavar="PORT", help="port on 127.0.0.1, 0 for a free one"
    )
    parser.add_argument(
        "--metrics",
        metavar="URL",
        action="append",
        default=[],
        help="a worker's /metrics; may be given several times",
    )
    parser.add_argument("--title", metavar="TEXT", default="", help="what the data are, in words")


def run(args: Namespace, settings: Settings) -> int:
    """Serve the page until Ctrl-C; a taken port gives the next free one and says so."""
    from headwater.local import ports
    from serving.page.server import serve

    wished = settings.page_port if args.port is None else args.port
    free = ports.next_free(wished) if wished else ports.quiet()
    if wished not in (0, free):
        _say(f"port {wished} is taken")
    with contextlib.suppress(KeyboardInterrupt):
        serve(
            settings,
            free,
            args.metrics,
            lambda: _say(f"live page: http://127.0.0.1:{free} (Ctrl-C ends)"),
            args.title,
        )
    return exits.OK.code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
