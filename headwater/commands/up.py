"""`headwater up`: a local Kafka and Redis in the background, data kept between runs."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contracts import exits
from contracts.settings import Settings, origins
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `up`."""
    about = (
        "Starts what does not run yet, waits until it answers, creates the topics and makes the "
        "key that signs snapshots. Data, logs and that key lie in the setting `home` (.headwater)."
    )
    subparsers.add_parser("up", help=COMMANDS["up"][1], description=about)


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - no options
    """Start both and print where they are and what to do next."""
    from headwater.local import background

    running = background.up(settings, os.environ, _say)
    kafka, redis = running["kafka"].address, running["redis"].address
    code = _topics(msgspec.structs.replace(settings, kafka=kafka, redis=redis))
    print(f"\nKafka  {kafka}\nRedis  {redis}\ndata   {Path(settings.home).resolve()}\n")
    for name, origin in origins(os.environ).items():
        if name in running and origin != "default":
            print(f"Note: commands use {name} as the {origin} says, not the local one.")
    print("Next: `headwater worker` learns, `headwater replay FILE` sends events,")
    print("`headwater status` shows lag, `headwater down` stops Kafka and Redis.")
    return code


def _topics(settings: Settings) -> int:
    from streams.kafka import topics

    differences = topics.ensure(settings)
    for difference in differences:
        print(difference)
    return exits.TOPICS_DIFFER.code if differences else exits.OK.code


def _say(text: str) -> None:
    print(text, flush=True)
