"""`headwater recover --from-log`: the next workers make the state anew from what Kafka has."""

import argparse
from typing import TYPE_CHECKING

from contracts import exits
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from streams.kafka.offsets import Progress


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `recover`."""
    about = (
        "Stop all workers first. Says what the log has; lists stay in Redis until they are made "
        "anew. A backup is brought back by `headwater snapshot import` instead."
    )
    parser = subparsers.add_parser("recover", help=COMMANDS["recover"][1], description=about)
    parser.add_argument(
        "--from-log",
        action="store_true",
        required=True,
        help="let all snapshots and versions go: the next workers learn what the log still has",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - the option is a consent
    """Let all snapshots go and print what the next workers will learn."""
    from streams import backup
    from streams.worker.startup import check_key

    check_key(settings)
    found = backup.let_go(settings)
    for log in found:
        print(_told(log))
    records = sum(log.end - log.begin for log in found)
    print(f"all snapshots are gone; start the workers: they learn {records:,} records")
    return exits.OK.code


def _told(log: "Progress") -> str:
    kept = f"{log.topic} {log.partition}: {log.end - log.begin:,} records"
    if log.begin == 0:
        return f"{kept}, from the first one on"
    return f"{kept}; {log.begin:,} from before are deleted, and what they taught is lost"
