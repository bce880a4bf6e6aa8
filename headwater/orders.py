"""Orders from the command line: given, awaited, and told in lines."""

import argparse
import asyncio
import getpass
import os
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from contracts import exits
from contracts.control import LISTS, Action, Control
from contracts.errors import InputError, NotObeyed, SettingsError
from contracts.settings import Settings
from contracts.topics import FEATURES, INTERACTIONS

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from state.audit import Entry

T = TypeVar("T")
LOOK_S = 0.1
LONGEST_TEXT = 1_000


def draft(action: Action, **about: Any) -> Control:
    """Return an order that is still to be filled in."""
    return Control("", action, {}, 0.0, **about)


def model(parser: argparse.ArgumentParser) -> None:
    """Add which model an order is about."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        default=LISTS,
        help=f"a predictor of the settings, or {LISTS} (default: {LISTS})",
    )


def known(settings: Settings, name: str, of_lists: Sequence[str] = (LISTS,)) -> str:
    """Return a name if somebody has it: a predictor, or one of lists.

    Raises:
        InputError: nobody has.
    """
    names = (*of_lists, *settings.predictors)
    if name not in names:
        raise InputError(
            f"there is no '{name}', only {', '.join(names)}; predictors are those that "
            "HEADWATER_PREDICTORS names"
        )
    return name


def options(parser: argparse.ArgumentParser) -> None:
    """Add what all orders have in common."""
    parser.add_argument("--why", metavar="TEXT", default="", help="why, for the audit")
    parser.add_argument("--who", metavar="NAME", default="", help="who (default: user and host)")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait until all partitions have obeyed"
    )


def give(args: argparse.Namespace, settings: Settings, draft: Control) -> Iterator[str]:
    """Give an order; yield what became of it, a line for each partition.

    `draft` says what to do; who, when and where are filled in.

    Raises:
        HeadwaterError: it could not be given.
        NotObeyed: a partition has refused it, or has not obeyed within `wait_s`.
    """
    order = send(args, settings, draft)
    what = " ".join(filter(None, (order.action, order.learner, order.version, order.since)))
    yield f"order {order.id}: {what}"
    if not args.no_wait:
        yield from map(told, awaited(settings, order))


def run(args: argparse.Namespace, settings: Settings, draft: Control) -> int:
    """Give an order as a command does: print what became of it, return the exit code.

    Raises:
        HeadwaterError, NotObeyed: see `give`.
    """
    for line in give(args, settings, draft):
        sys.stdout.write(line + "\n")
    return exits.OK.code


def send(args: argparse.Namespace, settings: Settings, draft: Control) -> Control:
    """Give an order and return it; `draft` may say where it holds, else all partitions obey.

    Raises:
        HeadwaterError: it could not be given.
    """
    from streams.control import giving

    check_key(settings)
    order = msgspec.structs.replace(
        draft,
        id=uuid.uuid4().hex[:12],
        at=draft.at or giving.ends(settings, giving.governing(settings, draft.learner)),
        ts=time.time(),
        who=(args.who or _who())[:LONGEST_TEXT],
        why=args.why[:LONGEST_TEXT],
    )
    giving.give(settings, order)
    return order


def check_key(settings: Settings) -> None:
    """Raise SettingsError unless there is a key to sign orders with."""
    if not settings.snapshot_key:
        raise SettingsError(
            "HEADWATER_SNAPSHOT_KEY is empty, and orders and snapshots are signed: set it to that "
            "of the workers"
        )


def awaited(settings: Settings, order: Control) -> "Iterator[Entry]":
    """Yield what the audit says of an order, partition by partition, as they obey.

    Raises:
        NotObeyed: one has refused it, or has not obeyed within `wait_s`.
        RedisAway: no Redis answers.
    """
    heads = (INTERACTIONS.name, FEATURES.name)  # an entry is under the first topic of a shard
    left = {(topic, p) for topic in heads for p in order.at.get(topic, ())}
    deadline, refused = time.monotonic() + settings.wait_s, ""
    while left:
        for entry in entries(settings):
            if entry.id == order.id and (entry.topic, entry.partition) in left:
                left.remove((entry.topic, entry.partition))
                yield entry
                refused = refused or ("" if entry.outcome.startswith("done") else entry.outcome)
        if left and time.monotonic() > deadline:
            raise NotObeyed(
                f"order {order.id} was given, and partitions {_few(left)} have not obeyed within "
                f"{settings.wait_s:g} s; they do when a worker has them and has come that far: "
                "see `headwater status`, later `headwater audit`"
            )
        time.sleep(LOOK_S if left else 0)
    if refused:
        raise NotObeyed(f"order {order.id} was {refused}; see `headwater audit`")


def entries(settings: Settings) -> "list[Entry]":
    """Return the audit, oldest first.

    Raises:
        RedisAway: no Redis answers.
    """
    from state.audit import RedisAudit

    return answered(settings, lambda client: RedisAudit(client, settings.key_prefix).all())


def answered(settings: Settings, question: "Callable[[Redis], Awaitable[T]]") -> "T":
    """Return what Redis answers.

    Raises:
        RedisAway: none does.
    """
    return asyncio.run(_answered(settings, question))


async def _answered(settings: Settings, question: "Callable[[Redis], Awaitable[T]]") -> "T":
    from state.opened import reached

    async with reached(settings) as client:
        return await question(client)


def told(entry: "Entry") -> str:
    """Return an entry of the audit as a line."""
    at = ", ".join(f"{topic} {offset}" for topic, offset in sorted(entry.at.items()))
    return f"partition {entry.partition}: {entry.outcome} at {at}"


def _few(left: set[tuple[str, int]]) -> str:
    shown = [str(partition) for _, partition in sorted(left)]
    return ", ".join(shown[:8]) + (" …" if len(shown) > 8 else "")


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as somebody without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
