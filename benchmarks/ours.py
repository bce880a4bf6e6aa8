"""Ours: the one place that says which learner stands beside the peers, and how it is set."""

from argparse import Namespace
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import msgspec

from benchmarks.cases import Repeats, Stream
from benchmarks.tally import LENGTH
from contracts.pipeline import Generators, Pipeline
from contracts.settings import Settings
from learners.ranker import KernelRanker
from learners.room import GENERATORS


class Ranker(Protocol):
    """What the benchmarks ask of a River ranker of ours."""

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn that a user chose an item at `x["ts"]`."""

    def candidates(
        self, user: Hashable, n: int = LENGTH, x: dict[str, Any] | None = None
    ) -> Sequence[Hashable]:
        """Return the user's list at `x["ts"]`, best first."""

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
    return _ranker(repeats, Generators())


def without(name: str, repeats: Repeats) -> Ranker:
    """Return an empty ranker that lacks the generator `name`, one of `learners.room.GENERATORS`.

    Raises:
        KeyError: there is no such generator.
    """
    if name not in GENERATORS:
        raise KeyError(name)
    return _ranker(repeats, msgspec.structs.replace(Generators(), **{name: None}))


def _ranker(repeats: Repeats, generators: Generators) -> Ranker:
    given = settings(repeats)
    return KernelRanker(
        Pipeline(generators=generators), repeats, given.history_length, given.items_capacity
    )
