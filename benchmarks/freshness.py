"""How soon a list is readable after Kafka has the event, and what readers feel of the publishing.

    make bench-freshness [SECONDS=60]        python -m benchmarks.freshness [--seconds N]

Everything shares the machine: Kafka, Redis, the worker, the load generator, the probe.
"""

import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from benchmarks import figures, options, report, rig, streams
from benchmarks.working import Moment, Stretch, Working, working
from contracts.settings import Settings
from headwater.local import Supervised
from serving.scrape import quantile

STEADY = 2_000.0  # events per second
PROBES, GETS = 20.0, 200.0  # per second
SETTLE_S = 3.0
WITHIN_S = 300.0
LIMITS_MS = {"steady": (5.0, 20.0), "half": (10.0, 50.0)}
GET_RATIO = 2.0
SHARE = 0.9
FULL_FROM = 0.5  # histories have filled by then, as they do in a minute at half the rate


class Full(NamedTuple):
    """The worker at full speed: its rate, and what a GET took meanwhile and when it was idle."""

    rate: float
    busy: list[float]
    idle: list[float]


def main(args: Namespace) -> None:
    """Measure with each partition count."""
    print(f"freshness: {figures.machine()}")
    with rig.rig() as bench:
        for partitions in args.partitions:
            _measure(bench, partitions, args)


def _measure(bench: rig.Rig, partitions: int, args: Namespace) -> None:
    """Find the sustained rate, then measure at the two rates."""
    topic = bench.settings(partitions=partitions)
    sent = bench.fill(topic, streams.shop(args.events))
    full = [_full(bench, bench.again(topic), sent) for _ in range(args.rounds)]
    sustained = figures.Spread.of([each.rate for each in full])
    print(f"\n{partitions} partitions; sustained: {sustained.text()} events/s of the shop")
    for name, rate in {"steady": STEADY, "half": sustained.median / 2}.items():
        _at_rate(bench, name, rate, partitions, args.seconds)
    _print_gets(full)


def _arguments() -> Namespace:
    parser = options.parser("freshness", "from Kafka's timestamp to a readable list")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="per rate")
    parser.add_argument("--events", type=int, default=600_000, metavar="N", help="at full speed")
    parser.add_argument("--partitions", type=int, nargs="+", default=[4, 1], metavar="N")
    return parser.parse_args()


def _full(bench: rig.Rig, settings: Settings, sent: int) -> Full:
    """Let the worker eat what is there while a reader reads; then read again, the same keys."""
    bench.clear()
    with working(bench, settings) as worker:
        begin = worker.past(sent * FULL_FROM, WITHIN_S)
        with _reader(bench, settings, WITHIN_S) as reader:
            end = worker.past(sent * SHARE, WITHIN_S)
            seconds = end.at - begin.at
            reader.stop()
            busy = _answer(reader)
        worker.past(sent, WITHIN_S)
        with _reader(bench, settings, max(seconds, SETTLE_S)) as reader:
            reader.wait(WITHIN_S)
            idle = _answer(reader)
    return Full(Stretch(begin, end).rate, busy, idle)


def _at_rate(bench: rig.Rig, name: str, rate: float, partitions: int, seconds: float) -> None:
    """Send evenly, let the worker settle, then look at both ends of so many seconds."""
    settings = bench.settings(partitions=partitions)
    bench.fill(settings, [])
    bench.clear()
    sending = seconds + 3 * SETTLE_S
    with (
        working(bench, settings) as worker,
        bench.child("benchmarks.load", settings, rate, sending, 11) as load,
    ):
        begin = _settled(worker, rate)
        with bench.child("benchmarks.probe", settings, PROBES, seconds) as probe:
            probe.wait(seconds + WITHIN_S)
            end = worker.now()
            delays = _answer(probe)
        load.stop()
    _print_rate(name, rate, Stretch(begin, end), delays)


def _settled(worker: Working, rate: float) -> Moment:
    return worker.past(rate * SETTLE_S, WITHIN_S)


def _reader(bench: rig.Rig, settings: Settings, seconds: float) -> Supervised:
    return bench.child("benchmarks.reader", settings, GETS, seconds, streams.SHOP_USERS)


def _answer(child: Supervised) -> list[float]:
    """Return the seconds that a child has told at its end."""
    line = child.log.read_bytes().splitlines()[-1]
    told: list[float] = msgspec.json.decode(line, type=list[float])
    return told


def _print_rate(name: str, rate: float, stretch: Stretch, delays: list[float]) -> None:
    print(f"\n{rate:,.0f} events/s wanted for {stretch.seconds:.0f} s, {stretch.rate:,.0f} learned")
    buckets: Mapping[float, float] = stretch.freshness()
    limits = LIMITS_MS[name]
    for q, limit in zip((0.5, 0.99), limits, strict=True):
        inside = quantile(q, buckets) * 1000
        outside = figures.quantile(delays, q) * 1000
        for who, ms in (("worker's own", inside), ("probe from outside", outside)):
            print(f"p{q * 100:.0f} {who}: {ms:.1f} ms, {figures.verdict(ms, limit, True)}")
    print(
        f"{len(delays):,} probes, longest {max(delays, default=0.0) * 1000:.0f} ms; CPU s/s: ",
        end="",
    )
    print(", ".join(f"{who} {us * stretch.rate / 1e6:.2f}" for who, us in stretch.cpu_us().items()))


def _print_gets(full: list[Full]) -> None:
    print("\nGET of a list with redis-py, milliseconds, one value per round:")
    for q in (0.5, 0.99):
        busy, idle = ([figures.quantile(v, q) * 1000 for v in each] for each in _columns(full))
        ratio = figures.ratio(busy, idle)
        print(
            f"p{q * 100:.0f}: idle {figures.Spread.of(idle).text(2)}, under full publishing ",
            end="",
        )
        print(f"{figures.Spread.of(busy).text(2)}, {ratio.text(1)} x", end="")
        print(f", {figures.verdict(ratio.median, GET_RATIO, True)}" if q == 0.99 else "")


def _columns(full: list[Full]) -> tuple[list[list[float]], list[list[float]]]:
    return [each.busy for each in full], [each.idle for each in full]


if __name__ == "__main__":
    sys.exit(report.main("freshness", main, _arguments()))
