"""What the worker and the states it keeps promise each other.

A *shard* is the state of one partition: a fold of its log, synchronous, knowing neither Kafka nor
Redis. A *unit* builds shards and may own state that all of them share. The worker reads, cuts,
publishes, snapshots and replays; nothing counts before its effects are done.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

import numpy.typing as npt

from contracts.metrics import Metric

MAX_BATCH = 4_000  # records; how many a shard really gets, `streams/worker/batch_size.py` says

Parts = dict[str, bytes]
Later = Callable[[], Parts]  # makes the parts of a copy, in any thread, before the next copy
Publish = Callable[[], Awaitable[None]]
Send = Callable[[list[bytes]], Awaitable[None]]  # delivers packed Redis commands


class Record(Protocol):
    """One message as aiokafka gives it: `value` None is a tombstone, `timestamp` is in ms."""

    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


class PlainRecord(NamedTuple):
    """A record that no broker gave: of an offline replay, or of a test."""

    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Void(NamedTuple):
    """Which events of a person who was forgotten are void: those before these offsets.

    `until` is by topic, `origins` by the partition that a re-keyed event came from.
    """

    until: Mapping[str, int]
    origins: Mapping[int, int]


NOBODY: Mapping[str, Void] = MappingProxyType({})


class Batch(NamedTuple):
    """Consecutive records of one partition, at most `MAX_BATCH`.

    `topic` is the name without the prefix. `known_to_shared` is True in a replay of events that
    the unit's shared state has already learned: the shard then learns its own state only.
    `frozen` names the models of the unit that must not learn from these records; `void` says which
    events of whom (by `contracts.control.alias`) are to be passed over.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    known_to_shared: bool = False
    frozen: frozenset[str] = frozenset()
    void: Mapping[str, Void] = NOBODY


class Message(NamedTuple):
    """A message to produce; `topic` without the prefix, `partition` None lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Effects(NamedTuple):
    """What has to happen outside before a batch's offset counts.

    First `messages` are produced and acknowledged, then `publish` is awaited; it is called again
    as a whole while Redis is away.
    """

    messages: Sequence[Message] = ()
    publish: Publish | None = None


class Shard(Protocol):
    """The state of one partition: a fold of its log."""

    @property
    def name(self) -> str:
        """Name of its snapshot, unlike that of any other shard, e.g. `0` or `predictor:elec:0`."""

    def handle(self, batch: Batch) -> Effects:
        """Learn the batch's records in order and say what has to happen outside."""

    def dump(self) -> Parts:
        """Return the whole state as named bytes that no later `handle` changes."""

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Become the state that `dump` gave; called before the first `handle`, if at all."""


@runtime_checkable
class Still(Protocol):
    """A shard whose state is copied sooner than it is dumped."""

    def still(self) -> Later:
        """Copy the state as it stands; what is returned gives what `dump` would give now."""


@runtime_checkable
class Refreshing(Protocol):
    """A shard whose answers grow old while no event changes them."""

    def refresh(self) -> Effects:
        """Make some of them anew, some milliseconds' worth; the effects publish them."""


@runtime_checkable
class StillSharing(Protocol):
    """A unit whose shared state is copied sooner than it is dumped."""

    def shared_still(self) -> Later:
        """Copy it as it stands; what is returned gives what `shared_dump` would give now."""


class Unit(Protocol):
    """Builds the shards of topics that have equally many partitions and share one state each.

    A shard folds all `topics` of its partition. Where the unit also has `shared_dump` and
    `shared_load` (see `Sharing`), those are saved and loaded with the shards.
    """

    @property
    def topics(self) -> tuple[str, ...]:
        """Names without the prefix."""

    def open(self, partition: int) -> Shard:
        """Return the empty state of a partition that this worker now owns."""

    def close(self, partition: int) -> None:
        """Forget a partition's state; the first thing that happens when it is taken away."""


@runtime_checkable
class Sharing(Unit, Protocol):
    """A unit whose shards share state on this worker, such as item vectors.

    Its shards are named by the numbers of their partitions. What they share is the same on every
    worker: each *follows* the partitions of the others, see `streams.worker.follower`.
    """

    def follow(self, partition: int) -> Shard:
        """Return the empty state of a partition of another worker; it teaches what is shared.

        What has to happen outside is for the other to do. `close` forgets it.
        """

    def shared_dump(self) -> Parts:
        """Return the shared state as named bytes that nothing later changes."""

    def shared_load(self, parts: Mapping[str, bytes]) -> None:
        """Become that state; empty `parts` mean an empty state. Called before shards open."""


@runtime_checkable
class Ticking(Protocol):
    """A unit that has something to do now and then, such as refreshing shared lists."""

    @property
    def every_s(self) -> float:
        """Seconds between two ticks."""

    async def tick(self) -> None:
        """Do it; called while the worker owns partitions, again later if Redis is away."""


@runtime_checkable
class Governed(Protocol):
    """A unit whose models can be frozen: it heeds `Batch.frozen`."""

    @property
    def models(self) -> tuple[str, ...]:
        """Their names."""


@runtime_checkable
class Clearing(Protocol):
    """A shard, or a unit whose shards share state, that can make a learner learn anew."""

    @property
    def learners(self) -> tuple[str, ...]:
        """The names that `clear` knows."""

    def clear(self, learner: str) -> None:
        """Take away all that a learner has learned; where it is shared, of all partitions."""


class Forgotten(NamedTuple):
    """What a shard has let go of a person: how much of what, and what unpublishes it.

    `guests` are those whom the person was before, by alias and partition.
    """

    counts: Mapping[str, int]
    publish: Publish | None = None
    guests: Sequence[tuple[str, int]] = ()


@runtime_checkable
class Forgetting(Protocol):
    """A shard that can forget a person."""

    def called(self, person: str) -> str:
        """Return the name of who has this alias, empty if nobody has; any thread may ask."""

    def asks_log(self, user: str) -> bool:
        """Tell whether the log may know more of what this person has taught than the state."""

    def forget(
        self, user: str, past: Sequence[Batch] | None = None, shared_too: bool = True
    ) -> Forgotten:
        """Take a person out, and what that person has taught as far as it can be taken back.

        `past` has the records of the log that may be the person's, None if nobody has looked;
        without `shared_too` what the shards share does without the person already.
        """


class Telemetry(Protocol):
    """Where figures go: `metric` is an entry of `contracts.metrics`."""

    def count(self, metric: Metric, n: float = 1, **labels: object) -> None:
        """Raise a counter by `n`."""

    def set(self, metric: Metric, value: float, **labels: object) -> None:
        """Set a gauge."""

    def observe(self, metric: Metric, value: float, n: int = 1, **labels: object) -> None:
        """Add a value to a histogram `n` times."""

    def observe_many(
        self,
        metric: Metric,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        **labels: object,
    ) -> None:
        """Add each of `values` to a histogram, `weights[i]` times if given."""

    def forget(self, metric: Metric, **labels: object) -> None:
        """Show these labels no longer."""


class NoTelemetry:
    """Figures go nowhere."""

    def count(self, metric: Metric, n: float = 1, **labels: object) -> None:
        """Ignore it."""

    def set(self, metric: Metric, value: float, **labels: object) -> None:
        """Ignore it."""

    def observe(self, metric: Metric, value: float, n: int = 1, **labels: object) -> None:
        """Ignore it."""

    def observe_many(
        self,
        metric: Metric,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        **labels: object,
    ) -> None:
        """Ignore it."""

    def forget(self, metric: Metric, **labels: object) -> None:
        """Ignore it."""


async def send_nowhere(commands: list[bytes]) -> None:
    """Take commands as `Send` does, and publish to nobody."""
