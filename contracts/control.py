"""`control`: what is asked of all workers at one point of their logs, and what they answer there.

An *order* says what to do, and in `at` the ends of the logs when it was given: what came before
is still learned as it would have been. A worker that has come that far writes a *mark* of the
same id: where exactly in each of its partitions the order holds. So the log itself says it, and
every replay obeys at the same place. Both are signed with the key of the snapshots.
"""

from functools import cache
from hashlib import blake2b, sha256
from typing import Annotated, Final, Literal

import msgspec

from contracts.pipeline import Generators, Pipeline

LISTS = "lists"  # the model of `interactions`, as `drifts` calls it too
HEAD = "head"
OF_LISTS = (LISTS, HEAD, *Generators.__struct_fields__)  # what orders call so is no predictor
LEARN_NOTHING = ("recent", "content")  # what they go by is known without them
SIGNATURE = "signature"  # header: hexadecimal HMAC-SHA256 of the topic's name, \n and the value

Offset = Annotated[int, msgspec.Meta(ge=0)]
Points = dict[str, dict[int, Offset]]  # topic -> partition -> next offset
Action = Literal["freeze", "thaw", "reset", "rollback", "forget", "mark"]
FREEZE: Final = "freeze"
THAW: Final = "thaw"
RESET: Final = "reset"
ROLLBACK: Final = "rollback"
FORGET: Final = "forget"
MARK: Final = "mark"


class Control(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of `control`: an order, or with the action `mark` where one holds.

    `learner` is who it is about, empty for all of the topics in `at`. `ts` is when it was given,
    in seconds. `person` is the alias of whom to forget; `ends` are then the ends of all partitions
    of `interactions`: an event from before may still be on its way to the person's own.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    action: Action
    at: Points
    ts: float
    learner: str = ""
    version: str = ""
    since: Literal["", "replay", "skip"] = ""
    person: str = ""
    exact: bool = False
    ends: dict[int, Offset] = {}
    who: str = ""
    why: str = ""


def alias(key: str, user: str) -> str:
    """Return what a person is called where the name must not stay: only the key's owner can tell.

    >>> alias("a key", "ann"), alias("another", "ann") == alias("a key", "ann")
    ('e4721ea9ad0160ba00ee2226', False)
    """
    named = user.encode("utf-8", "surrogatepass")
    return blake2b(named, key=_short(key), person=b"person", digest_size=12).hexdigest()


@cache
def _short(key: str) -> bytes:
    """Return a key of any length as BLAKE2b takes it; a third of the time of an HMAC."""
    return sha256(key.encode()).digest()


def clearable(pipeline: Pipeline) -> tuple[str, ...]:
    """Return who in a pipeline can learn anew, and `lists` for all of them.

    >>> clearable(Pipeline(head="blend"))
    ('popularity', 'co_occurrence', 'transitions', 'neighbours', 'lists')
    """
    used = msgspec.structs.asdict(pipeline.generators)
    names = [n for n, given in used.items() if given is not None and n not in LEARN_NOTHING]
    return (*names, *([HEAD] if pipeline.head != "blend" else []), LISTS)
