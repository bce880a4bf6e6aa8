"""`headwater worker`: learn from the stream and publish answers until told to stop."""

import argparse
import logging
from typing import TYPE_CHECKING

from contracts import exits, pipeline
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# They log every attempt while Kafka is away, 90 lines a second; the worker says it once.
THEIRS = ("aiokafka", "faust", "kafka", "mode")
OURS = ("headwater", "streams", "learners", "state", "contracts")


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `worker`."""
    about = (
        "Runs until SIGTERM or Ctrl-C, then finishes, saves and commits within 5 s. Several "
        "workers of one group share the partitions."
    )
    parser = subparsers.add_parser("worker", help=COMMANDS["worker"][1], description=about)
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="let all snapshots go and make the state anew from the log; stop other workers first",
    )
    parser.add_argument("--verbose", action="store_true", help="log what the libraries say too")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Work; return 0 after a graceful stop, else the error names the exit code."""
    pipeline.read(settings.pipeline)  # before the libraries are loaded: that takes seconds
    logging.basicConfig(format=FORMAT, level=logging.INFO if args.verbose else logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    if not args.verbose:
        for name in THEIRS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    from prometheus_client import CollectorRegistry

    from streams import run as worker
    from streams.telemetry.http import Endpoint, Health
    from streams.telemetry.metrics import Telemetry

    telemetry, health = Telemetry(CollectorRegistry()), Health()
    with Endpoint(telemetry.registry, health, settings.metrics_host, settings.metrics_port):
        worker.run(settings, telemetry, health, rebuild=args.rebuild)
    return exits.OK.code
