"""One stretch of a watched worker that goes on from a large state: start, work, SIGTERM."""

from typing import Any, NamedTuple

import msgspec

from benchmarks import rig
from benchmarks.watched import Told, told
from benchmarks.working import Stretch, Working, working
from contracts.errors import InputError
from contracts.metrics import LISTS, SNAPSHOTS
from contracts.settings import Settings

WATCHED = ("benchmarks.watched",)
ON: dict[str, Any] = {}
OFF: dict[str, Any] = {"snapshot_every_s": 1e9, "versions_every_s": 7 * 86_400.0}
FROM, UNTIL = 0.1, 0.9  # of the events that are there
GETS = 500.0  # per second
RATE, LOAD_S = 1_000.0, 120.0  # of events while a second worker comes
WITHIN_S = 600.0


class Found(NamedTuple):
    """What one stretch gave, in seconds where it says nothing else."""

    stretch: Stretch
    gets: list[float]
    start: float
    stop: float
    held: list[Told]  # in the stretch
    held_else: list[Told]  # while loading, and at the end

    @property
    def saves(self) -> float:
        """How many shards were saved in the stretch."""
        begin, end = (m.samples.total(SNAPSHOTS, outcome="saved") for m in self.stretch[:2])
        return end - begin


def stretch(bench: rig.Rig, settings: Settings, events: int, users: int) -> Found:
    """Let a worker learn events that wait, a reader beside it, and end it in the midst of them."""
    with working(bench, settings, WATCHED) as worker:
        start = _served(worker) - worker.begun
        with bench.child("benchmarks.reader", settings, GETS, WITHIN_S, users) as reader:
            begin = worker.past(events * FROM, WITHIN_S)
            end = worker.past(events * UNTIL, WITHIN_S)
            reader.stop()
            said = reader.log.read_bytes().splitlines() or [b"[]"]  # it was over before it began
            gets = msgspec.json.decode(said[-1], type=list[float])
        if end.learned == begin.learned:
            raise InputError("all events were learned at once, so there is no rate; more --events")
        stop = worker.stop()
        held = [t for t in told(worker.child.log.read_bytes()) if t.what == "held"]
    inside = [t for t in held if begin.at < t.at < end.at]
    return Found(
        Stretch(begin, end), gets, start, stop, inside, [t for t in held if t not in inside]
    )


def _served(worker: Working) -> float:
    """Return when the first list was seen to be published."""

    def look() -> float | None:
        moment = worker.moment()
        return moment.at if moment and moment.samples.total(LISTS, kind="rec") else None

    return rig.until(look, worker.child, WITHIN_S)


class HandedOver(NamedTuple):
    """What a second worker cost: seconds of the first one's revoke; until the second published."""

    revoke: float
    until_served: float
    shards: str


def hand_over(bench: rig.Rig, settings: Settings) -> HandedOver:
    """Start a second worker while events come; how they end is no part of it."""
    with (
        working(bench, settings, WATCHED) as one,
        bench.child("benchmarks.load", settings, RATE, LOAD_S, 11),
    ):
        _served(one)
        with working(bench, settings, WATCHED) as two:
            revoked = rig.until(lambda: _revoked(one), one.child, WITHIN_S)
            at = _served(two)
    return HandedOver(revoked.seconds, at - (revoked.at - revoked.seconds), revoked.by)


def _revoked(worker: Working) -> Told | None:
    revokes = [t for t in told(worker.child.log.read_bytes()) if t.what == "revoked"]
    return next((t for t in revokes if not t.by.startswith("0 ")), None)
