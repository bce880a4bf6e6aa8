"""`headwater demo`: everything at once, on this machine, from nothing."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contracts import exits, pipeline
from contracts.settings import Settings
from headwater.commands import COMMANDS, above_0, port

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `demo`."""
    about = (
        "Starts a real Kafka, a real Redis, a worker and a page with empty state of their own, "
        "sends a stream and shows what happens. Nothing stays behind but the summary."
    )
    parser = subparsers.add_parser("demo", help=COMMANDS["demo"][1], description=about)
    option = parser.add_argument
    option("--seconds", type=above_0, metavar="N", help="end N s after the first event")
    option("--data", metavar="FILE", help="send this CSV or JSON lines file, not simulated events")
    option("--rate", type=above_0, metavar="N", help="events per second (default: 2000)")
    option("--page-port", type=port, metavar="PORT", help="port of the page (default: the setting)")
    summary = "write the summary there as JSON (default: demo-summary.json)"
    option("--summary", type=Path, default="demo-summary.json", metavar="FILE", help=summary)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run the demo until its time is over or Ctrl-C."""
    from headwater import demo

    pipeline.read(settings.pipeline)  # its worker would refuse it only when Kafka runs
    if args.data is not None:
        from streams.sources import reader

        reader.check(args.data)
    if args.page_port is not None:
        settings = msgspec.structs.replace(settings, page_port=args.page_port)
    demo.run(demo.Plan(args.seconds, args.data, args.rate, args.summary), settings)
    return exits.OK.code
