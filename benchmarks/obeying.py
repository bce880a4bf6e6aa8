"""What orders take with a large state, while events come: a person forgotten, the way back."""

import asyncio
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from redis import Redis

from benchmarks import rig
from benchmarks.working import working
from contracts.control import ROLLBACK, Control
from contracts.keys import REC
from contracts.settings import Settings
from headwater import orders
from state import versions
from state.opened import opened
from streams.control import giving

RATE, LOAD_S = 1_000.0, 600.0
WITHIN_S = 600.0
LOOK_S = 0.02
WATCHED = 500  # lists that must stand while the state goes back
SINCE = ("skip", "replay")
FORGET_S, ROLLBACK_S = 1.0, 10.0
NOBODY = Namespace(who="benchmark", why="")


class Obeyed(NamedTuple):
    """Seconds from giving an order: until a list was gone, until all was done; lists missed."""

    list_gone: dict[str, float]
    done: dict[str, float]
    missing: int

    def lines(self) -> Iterator[tuple[str, float, float, str]]:
        """Yield what was measured, its figure, its target, and what else there is to say."""
        for what, gone in self.list_gone.items():
            said = f"{self.done[what]:.1f} s until no snapshot knows the person"
            yield f"{what}: until the list is gone, s", gone, FORGET_S, said
        for since in SINCE:
            what = f"rollback --{since}"
            yield f"{what}, s", self.done[what], ROLLBACK_S, ""
        yield f"lists of {WATCHED} users missing meanwhile", self.missing, 0, ""


def obey(bench: rig.Rig, settings: Settings) -> Obeyed:
    """Have two people forgotten and the state taken back twice, under load."""
    list_gone: dict[str, float] = {}
    done: dict[str, float] = {}
    with (
        working(bench, settings) as worker,
        bench.child("benchmarks.load", settings, RATE, LOAD_S, 13),
    ):
        worker.past(1, WITHIN_S)
        _forgotten(settings, "user-6", exact=False)  # nobody's first time counts
        for user, exact in (("user-7", False), ("user-8", True)):
            what = "forget --exact" if exact else "forget"
            list_gone[what], done[what] = _forgotten(settings, user, exact)
        with _watching(settings) as missed:
            for since in SINCE:
                version = asyncio.run(_newest(settings))
                draft = orders.draft(ROLLBACK, version=version, since=since)
                done[f"rollback --{since}"] = _until_done(settings, draft)
    return Obeyed(list_gone, done, sum(missed))


def _forgotten(settings: Settings, user: str, exact: bool) -> tuple[float, float]:
    begun = time.perf_counter()
    order = orders.send(NOBODY, settings, giving.farewell(settings, user, exact))
    with Redis.from_url(settings.redis) as redis:
        while redis.exists(REC.at(settings.key_prefix, user=user)):
            time.sleep(LOOK_S)
    gone = time.perf_counter() - begun
    list(orders.awaited(_patient(settings), order))
    return gone, time.perf_counter() - begun


def _until_done(settings: Settings, draft: Control) -> float:
    begun = time.perf_counter()
    list(orders.awaited(_patient(settings), orders.send(NOBODY, settings, draft)))
    return time.perf_counter() - begun


def _patient(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, wait_s=WITHIN_S)


async def _newest(settings: Settings) -> str:
    async with opened(settings) as store:
        return versions.choose(await versions.read(store))[0].name


@contextmanager
def _watching(settings: Settings) -> Iterator[list[int]]:
    """Count, as long as the block lasts, how many lists of some users do not stand there."""
    over, missed = threading.Event(), list[int]()
    names = [REC.at(settings.key_prefix, user=f"user-{n}") for n in range(100, 100 + WATCHED)]

    def watch() -> None:
        with Redis.from_url(settings.redis) as redis:
            while not over.wait(LOOK_S):
                missed.append(len(names) - redis.exists(*names))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield missed
    finally:
        over.set()
        thread.join()
