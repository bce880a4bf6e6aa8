"""A town whose workers save versions, and the fold that looks back at them."""

from collections.abc import Iterator, Sequence

from faust.types import TP

from contracts.settings import Settings
from streams.control.known import scheduled
from streams.kafka.log_ends import Bounds
from streams.shards import Record
from streams.verify.hindsight import Sources
from streams.verify.verify import Report, compared
from tests.forget_world import Town
from tests.orders_world import A, Living, Places

AT_ONCE = 50


class Village(Town):
    """A town of one partition."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        Places.__init__(self, 1)

    def visit(self, user: str, n: int = 1) -> None:
        """Append events of a user to the only partition."""
        own = self.logs[TP(A, 0)]
        own += [self.record(user, len(own) + k) for k in range(n)]


def sources(worker: Living, town: Town, first: int = 0) -> Sources:
    """Return the log from an offset on, and what a worker has saved."""

    def read(topic: str, partition: int, start: int, until: int) -> Iterator[Sequence[Record]]:
        log = town.logs[TP(topic, partition)][:until]
        assert start >= (first if topic == A else 0)
        yield from (log[at : at + AT_ONCE] for at in range(start, until, AT_ONCE))

    bounds = {
        (tp.topic, tp.partition): Bounds(first if tp.topic == A else 0, len(log))
        for tp, log in town.logs.items()
    }
    schedule = scheduled(town.seal, town.control)
    return Sources(worker.store, worker.loader.log, bounds, schedule, read)


async def looked_back(
    worker: Living, town: Town, settings: Settings, version: str = "", first: int = 0
) -> Report:
    """Compare a version with the log."""
    return await compared(settings, sources(worker, town, first), version)


def differing(report: Report) -> list[tuple[str, ...]]:
    """Return what matters and is not equal."""
    return [f[:4] for f in report.findings if f.matters and f.outcome != "equal"]
