"""What a catalogue costs: until a hidden item is on no list any more, and a large one at a start.

make bench-catalogue          python -m benchmarks.catalogue [--users N] [--catalogue N]
"""

import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis

from benchmarks import figures, options, report, rig
from benchmarks.crowds import Crowd
from benchmarks.working import Working, working
from contracts.keys import REC
from contracts.metrics import STATE_SIZE
from contracts.settings import Settings
from contracts.topics import ITEMS
from state.lists import entry_begins
from streams.kafka import producer, topics
from streams.kafka.producer import Sender

WITHIN_S = 600.0
LOAD_S = 600.0
AT_ONCE = 500  # lists that Redis looks through in one go: a millisecond
SAMPLE, LOOK_S = 200, 0.01
HIDE_S, LOAD_MOST_S, MOST_MB = 1.0, 60.0, 1_500.0
MB = 1e6
KINDS = ("kind", "brand", "colour", "size")

# ARGV: how an entry begins. Returns which of the lists have it, counted from 1.
HOLDING = """
local found = {}
for n, list in ipairs(redis.call('MGET', unpack(KEYS))) do
  if list and string.find(list, ARGV[1], 1, true) then table.insert(found, n) end
end
return found
"""


class Hidden(NamedTuple):
    """On how many lists an item stood, and seconds until it was on none."""

    lists: int
    seconds: float


def main(args: Namespace) -> bool:
    """Measure both; tell whether every target was met."""
    print(f"catalogue: {figures.machine()}")
    with rig.rig() as bench:
        met = [_hide(bench, args, items) for items in args.items]
        return _large(bench, args.catalogue) and all(met)


def _hide(bench: rig.Rig, args: Namespace, items: int) -> bool:
    crowd = Crowd(args.users, items)
    room = {"users_capacity": crowd.users + 1, "items_capacity": crowd.items + 1}
    settings = bench.settings(partitions=4, **room)
    sent = bench.fill(settings, crowd.all(1))
    with working(bench, settings) as worker:
        begin = worker.past(sent * 0.1, WITHIN_S)
        rate = (sent - begin.learned) / (worker.past(sent, WITHIN_S).at - begin.at)
        half = rate / 2
        print(f"{crowd.users:,} lists, {crowd.items:,} items; half rate: {half:,.0f} events/s")
        with bench.child("benchmarks.load", settings, half, LOAD_S, 17):
            found = [_until_gone(settings, item, crowd.users) for item in _items(crowd, args)]
    for hidden in found:
        print(f"hidden on {hidden.lists:,} lists: on none after {hidden.seconds:.2f} s")
    worst = max(hidden.seconds for hidden in found)
    middle = statistics.median(hidden.seconds for hidden in found)
    said = figures.verdict(worst, HIDE_S, True)
    print(f"hide an item, s: {worst:.2f} at most, median {middle:.2f}; {said}")
    return worst <= HIDE_S


def _items(crowd: Crowd, args: Namespace) -> list[str]:
    """Return best sellers, and others."""
    rounds = range(args.rounds)
    return [f"item-{n}" for n in rounds] + [f"item-{crowd.items - 1 - n}" for n in rounds]


def _until_gone(settings: Settings, item: str, users: int) -> Hidden:
    entry = entry_begins(item)
    names = [REC.at(settings.key_prefix, user=f"user-{n}") for n in range(users)]
    with Redis.from_url(settings.redis) as redis:
        look = redis.register_script(HOLDING)

        def holding(some: list[str]) -> list[str]:
            pieces = [some[k : k + AT_ONCE] for k in range(0, len(some), AT_ONCE)]
            return [p[n - 1] for p in pieces for n in look(keys=p, args=[entry])]

        lists = holding(names)
        sender = Sender(settings, ITEMS)
        begun = time.perf_counter()
        sender.send(item, {"item": item, "hidden": True})
        sender.finish()
        some = lists[:: 1 + len(lists) // SAMPLE]  # all of them keep Redis busy
        while holding(some) or holding(lists):
            time.sleep(LOOK_S)
        seconds = time.perf_counter() - begun
        while holding(names):  # a list that was made after we had looked
            seconds = time.perf_counter() - begun
    return Hidden(len(lists), seconds)


def _large(bench: rig.Rig, size: int) -> bool:
    """Load a large catalogue into the topic, and start a worker with it."""
    settings = bench.settings(partitions=4)
    topics.ensure(settings)
    with working(bench, settings) as worker:
        plain_s, plain = time.perf_counter() - worker.begun, worker.rss()
    begun = time.perf_counter()
    producer.items(_catalogue(size), settings, lambda _: None)
    sent_s = time.perf_counter() - begun
    with working(bench, settings) as worker:
        start_s, rss = time.perf_counter() - worker.begun, worker.rss()
        hidden = _hidden(worker)
    more_mb = (rss - plain) / MB
    print(f"{size:,} items with attributes, {hidden:,.0f} of them hidden: sent in {sent_s:.1f} s")
    print(f"start with it: {start_s:.1f} s, {plain_s:.1f} s without")
    whole = sent_s + start_s - plain_s
    print(f"loaded, s: {whole:.1f}, {figures.verdict(whole, LOAD_MOST_S, True)}")
    print(f"memory for it, MB: {more_mb:.0f}, {figures.verdict(more_mb, MOST_MB, True)}")
    return whole <= LOAD_MOST_S and more_mb <= MOST_MB


def _hidden(worker: Working) -> float:
    """Return how many items the worker knows to be hidden, when it has said so."""

    def look() -> float | None:
        moment = worker.moment()
        return moment.samples.total(STATE_SIZE, kind="hidden") if moment else None

    return rig.until(lambda: look() or None, worker.child, WITHIN_S)


def _catalogue(size: int) -> Iterator[dict[str, Any]]:
    for n in range(size):
        attributes: dict[str, Any] = {kind: f"{kind}-{n % 97}" for kind in KINDS}
        attributes |= {"price": n % 1_000 / 10, "text": f"the item number {n} of a large shop"}
        yield {"item": f"item-{n}", "attributes": attributes, "hidden": n % 10 == 0}


def _arguments() -> Namespace:
    parser = options.parser("catalogue", "what a catalogue costs")
    parser.add_argument("--users", type=int, default=100_000, metavar="N")
    parser.add_argument("--items", type=int, nargs="+", default=[2_000, 60], metavar="N")
    parser.add_argument("--catalogue", type=int, default=1_000_000, metavar="N")
    parser.set_defaults(rounds=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(report.main("catalogue", main, _arguments()))
