"""How fast events become lists: decode, judge, learn, rank, publish, through real services.

make bench-end-to-end         python -m benchmarks.end_to_end [--stream shop] [--head blend]
"""

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks import figures, options, report, rig, streams
from benchmarks.working import Stretch, working
from contracts.settings import Settings

FAUST = "benchmarks.peers.plain_faust_learning"
FILES = {"rsc15-100k": options.CLICKS, "movietweetings-100k": options.RATINGS}
TARGETS = {  # events per second, by stream and head
    ("rsc15-100k", "softmax"): 30_000.0,
    ("rsc15-100k", "blend"): 30_000.0,
    ("movietweetings-100k", "softmax"): 6_000.0,
    ("movietweetings-100k", "blend"): 30_000.0,
    ("shop", "softmax"): 20_000.0,
    ("shop", "blend"): 30_000.0,
}
STREAMS, HEADS = (*FILES, "shop"), ("softmax", "blend")
RATIO = 5.0
SHARE = 0.97  # the last events are left out: some partitions end before others
FIRST = 1.0
WITHIN_S = 300.0
STAGES = ("decode", "learn", "render", "publish")


class Found(NamedTuple):
    """What the rounds of one stream, head and partition count gave."""

    ours: list[Stretch]
    faust: list[float]


def main(args: Namespace) -> None:
    """Measure each stream with each head and partition count."""
    print(f"end-to-end: {figures.machine()}")
    with rig.rig() as bench:
        for name in args.stream:
            for partitions in args.partitions:
                topic = bench.settings(partitions=partitions)
                sent = bench.fill(topic, _rows(name, args))
                for head in args.head:
                    print(f"\n{name}, {sent:,} events, {partitions} partitions, {head}, one worker")
                    headed = _headed(bench, topic, head)
                    _print(TARGETS[name, head], _rounds(bench, headed, sent, args))


def _headed(bench: rig.Rig, topic: Settings, head: str) -> Settings:
    """Return settings for a topic with the default pipeline but for its head."""
    file = bench.folder / f"{head}.toml"
    file.write_text(f'head = "{head}"\n')
    return bench.again(topic, pipeline=str(file))


def _arguments() -> Namespace:
    parser = options.parser("end_to_end", "events per second from Kafka to lists in Redis")
    parser.add_argument("--stream", nargs="+", choices=STREAMS, default=STREAMS)
    parser.add_argument("--head", nargs="+", choices=HEADS, default=HEADS)
    parser.add_argument(
        "--events",
        type=int,
        default=335_384,
        metavar="N",
        help="default 335,384; files are repeated, each time with new users and event ids",
    )
    parser.add_argument("--faust-events", type=int, default=20_000, metavar="N")
    parser.add_argument("--partitions", type=int, nargs="+", default=[4], metavar="N")
    return parser.parse_args()


def _rows(name: str, args: Namespace) -> Iterator[dict[str, Any]]:
    if name == "shop":
        return streams.shop(args.events)
    return streams.clicks(options.file(args.data, FILES[name]), args.events)


def _rounds(bench: rig.Rig, topic: Settings, sent: int, args: Namespace) -> Found:
    found = Found([], [])
    for n, who in rig.in_turns(["ours", "faust"], args.rounds):
        bench.clear()
        if who == "ours":
            found.ours.append(_ours(bench, bench.again(topic), sent))
            rate = found.ours[-1].rate
        else:
            reading = bench.measure(FAUST, bench.again(topic), args.faust_events, within_s=WITHIN_S)
            found.faust.append(reading.rate)
            rate = reading.rate
        report.progress(f"round {n + 1}: {who}: {rate:,.0f} events/s")
    return found


def _ours(bench: rig.Rig, settings: Settings, sent: int) -> Stretch:
    with working(bench, settings) as worker:
        begin = worker.past(FIRST, WITHIN_S)
        return Stretch(begin, worker.past(sent * SHARE, WITHIN_S))


def _print(target: float, found: Found) -> None:
    rates = [stretch.rate for stretch in found.ours]
    spread, ratio = figures.Spread.of(rates), figures.ratio(rates, found.faust)
    faust = figures.Spread.of(found.faust).text()
    print(f"headwater worker: {spread.text()} events/s, ", end="")
    print(figures.verdict(spread.median, target))
    print(f"the same learners in a plain Faust agent, one SET per event: {faust} events/s")
    print(f"{ratio.text(1)} x plain Faust, {figures.verdict(ratio.median, RATIO)}")
    lists = {
        kind: figures.Spread.of([s.lists(kind) / s.events for s in found.ours]).median
        for kind in ("rec", "sim")
    }
    print(f"lists written per event: {lists['rec']:.2f} hw:rec, {lists['sim']:.2f} hw:sim")
    print("µs per event, wall clock by stage (publish waits for Redis while the next batch runs):")
    print(_profile([stretch.stages() for stretch in found.ours]))
    print("µs per event, CPU by process:")
    print(_profile([stretch.cpu_us() for stretch in found.ours]))


def _profile(rounds: list[dict[str, float]]) -> str:
    names = [*(s for s in STAGES if s in rounds[0]), *(n for n in rounds[0] if n not in STAGES)]
    return "  " + "; ".join(
        f"{name} {figures.Spread.of([found[name] for found in rounds]).text(2)}" for name in names
    )


if __name__ == "__main__":
    sys.exit(report.main("end_to_end", main, _arguments()))
