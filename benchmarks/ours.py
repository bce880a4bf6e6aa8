"""Ours: the one place that says which learner stands beside the peers, and how it is set."""

from argparse import Namespace
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import msgspec

from benchmarks.cases import Repeats, Stream
from benchmarks.tally import LENGTH
from contracts.settings import Settings
from learners.blend import Blend as Learner

# What `without` can leave out; the ablation says that there is nothing as long as this is empty.
GENERATORS: tuple[str, ...] = ()


class Ranker(Protocol):
    """What the benchmarks ask of a River ranker of ours."""

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn that a user chose an item at `x["ts"]`."""

    def candidates(self, user: Hashable, n: int = LENGTH) -> Sequence[Hashable]:
        """Return the user's list, best first."""

    def rank(self, user: Hashable, items: set[Hashable]) -> Sequence[Hashable]:
        """Return the items, best first."""


def repeats(stream: Stream, args: Namespace) -> Repeats:
    """Return what our lists may repeat: as `--repeats` says, else as the stream needs it."""
    return str(args.repeats or stream.case.repeats)


def settings(repeats: Repeats, **changes: Any) -> Settings:
    """Return the defaults with this rule for repeats; nothing is set by stream."""
    return msgspec.structs.replace(Settings(), repeats=repeats, **changes)


def ranker(repeats: Repeats) -> Ranker:
    """Return an empty ranker as these settings shape the worker's."""
    given = settings(repeats)
    return Learner(
        half_life_s=given.half_life_s,
        pair_half_life_s=given.pair_half_life_s,
        repeats=repeats == "always",
        history=given.history_length,
        neighbours=given.neighbours,
        items_capacity=given.items_capacity,
    )


def without(name: str, repeats: Repeats) -> Ranker:
    """Return an empty ranker that lacks the generator `name`, one of GENERATORS.

    A blend of two has nothing to leave out. A learner made of generators is connected here: name
    them in GENERATORS and build the learner from all of them but `name`.

    Raises:
        KeyError: there is no such generator.
    """
    if name not in GENERATORS:
        raise KeyError(name)
    return ranker(repeats)
