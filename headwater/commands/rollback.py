"""`headwater rollback VERSION`: the model goes back to an earlier version, while events go on."""

import argparse
from typing import TYPE_CHECKING, Any

from contracts.control import LISTS, ROLLBACK
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from state.manifest import Manifest


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `rollback`."""
    from headwater import orders

    about = (
        "Lists and answers stay in Redis meanwhile. With --skip people's own histories keep what "
        "they chose since, and features that wait for their label wait on: the earlier predictor "
        "learns from them."
    )
    parser = subparsers.add_parser("rollback", help=COMMANDS["rollback"][1], description=about)
    parser.add_argument("version", metavar="VERSION", help="its name, a time in UTC")
    orders.model(parser)
    since = parser.add_mutually_exclusive_group(required=True)
    since.add_argument(
        "--replay",
        dest="since",
        action="store_const",
        const="replay",
        help="learn again what came since, all of it: for a fault of the model or of ours",
    )
    since.add_argument(
        "--skip",
        dest="since",
        action="store_const",
        const="skip",
        help="let the model never know what came since: for events or labels that were wrong",
    )
    orders.options(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Give the order and print what each partition did; exit code 17 if one did not.

    Raises:
        InputError: there is no such version, or no such model.
    """
    from headwater import orders

    model, version = orders.known(settings, args.model), args.version
    if orders.answered(settings, lambda client: _found(client, settings, model, version)) is None:
        raise InputError(
            f"there is no version '{version}' of {model} under this HEADWATER_SNAPSHOT_KEY; "
            "the workers keep the last ones, and older ones apart: see versions_kept"
        )
    order = orders.draft(ROLLBACK, learner=model, version=version, since=args.since)
    return orders.run(args, settings, order)


async def _found(client: Any, settings: Settings, model: str, version: str) -> "Manifest | None":
    from state.opened import snapshots
    from streams.predictions.shard import named
    from streams.worker.loader import SHARED

    name = SHARED if model == LISTS else named(0)
    return await snapshots(settings, client).version(name, version)
