"""The commands of `headwater`, one module each, imported only when called.

A module has `add(subparsers)`, which adds its parser under its name here, and
`run(args, settings) -> int`, which returns an exit code of contracts.exits.
"""

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no other name

LAST_PORT = 65_535

# name -> (module, what it does)
COMMANDS = {
    "demo": ("headwater.commands.demo", "Kafka, Redis, worker, a stream and a live view in one"),
    "up": ("headwater.commands.up", "start a local Kafka and Redis, data kept between runs"),
    "down": ("headwater.commands.down", "stop the local Kafka and Redis"),
    "status": ("headwater.commands.status", "what runs where, topics, consumer lag"),
    "topics": ("headwater.commands.topics", "create the topics, or say what differs"),
    "worker": ("headwater.commands.worker", "learn from the stream and publish answers"),
    "replay": ("headwater.commands.replay", "send a file into the stream, or learn it offline"),
    "import-items": ("headwater.commands.import_items", "send a catalogue, or remove items of it"),
    "dead-letters": ("headwater.commands.dead_letters", "see what could not be used; put it back"),
    "watch": ("headwater.commands.watch", "live view of a running system in the terminal"),
    "page": ("headwater.commands.page", "live view of a running system as a local web page"),
    "recommend": ("headwater.commands.recommend", "the list that stands in Redis for a user"),
    "similar": ("headwater.commands.similar", "the items that go with an item"),
    "freeze": ("headwater.commands.freeze", "let a model learn nothing until `thaw`"),
    "thaw": ("headwater.commands.thaw", "let what was frozen learn again"),
    "reset": ("headwater.commands.reset", "let one learner begin anew"),
    "rollback": ("headwater.commands.rollback", "take the model back to an earlier version"),
    "forget": ("headwater.commands.forget", "take a person out of everything that was learned"),
    "export-user": ("headwater.commands.export_user", "everything that is held about someone"),
    "audit": ("headwater.commands.audit", "what was done to the models: who, when, why, where"),
    "versions": ("headwater.commands.versions", "what the state can be taken back to"),
    "snapshot": (
        "headwater.commands.snapshot",
        "list saved states, verify them against the log, export and import them",
    ),
    "recover": ("headwater.commands.recover", "have the state made anew from the log"),
    "settings": ("headwater.commands.settings", "every setting, its value and its origin"),
}


def above_0(text: str) -> float:
    """Return an option's number.

    Raises:
        ArgumentTypeError: it is not above 0, or not finite.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def whole(text: str) -> int:
    """Return an option's whole number.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text}") from None


def port(text: str) -> int:
    """Return an option's port; 0 is a free one.

    Raises:
        ArgumentTypeError: it is not from 0 to 65535.
    """
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be from 0 to {LAST_PORT}, got {text}")
    return int(text)
