"""How fast events come in: decoded, validated, counted, nothing learned; beside three peers.

make bench-ingest             python -m benchmarks.ingest [--events N] [--partitions N]
"""

import sys
from argparse import Namespace
from collections import defaultdict

from benchmarks import figures, options, report, rig, streams
from benchmarks.meter import Reading
from contracts.settings import Settings

OURS, FAUST = "headwater, counting only", "plain Faust agent"
AIOKAFKA, CONFLUENT = "bare aiokafka getmany", "confluent-kafka consume(500)"
MODULES = {
    OURS: "benchmarks.counting",
    AIOKAFKA: "benchmarks.peers.bare_aiokafka",
    CONFLUENT: "benchmarks.peers.bare_confluent",
    FAUST: "benchmarks.peers.plain_faust",
}
TARGETS = {FAUST: 25.0, AIOKAFKA: 0.75}
WITHIN_S = 300.0

Rounds = dict[str, list[Reading]]


def main(args: Namespace) -> None:
    """Fill one topic, let everybody read it in turns, print rates and ratios."""
    print(f"ingest: {figures.machine()}")
    with rig.rig() as bench:
        topic = bench.settings(partitions=args.partitions)
        sent = bench.fill(topic, streams.shop(args.events))
        print(f"{sent:,} events of the simulated shop, {args.partitions} partitions, JSON; plain")
        print(f"Faust reads the first {args.faust_events:,}; one warm-up round is not counted")
        _print(_rounds(bench, topic, args))


def _arguments() -> Namespace:
    parser = options.parser("ingest", "events per second inside the worker, without a learner")
    parser.add_argument("--events", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--faust-events", type=int, default=60_000, metavar="N")
    parser.add_argument("--partitions", type=int, default=4, metavar="N")
    return parser.parse_args()


def _rounds(bench: rig.Rig, topic: Settings, args: Namespace) -> Rounds:
    found: Rounds = defaultdict(list)
    for n, name in rig.in_turns(list(MODULES), args.rounds + 1):
        wanted = args.faust_events if name == FAUST else args.events
        if n == 0:
            wanted = min(wanted, args.faust_events)
        reading = bench.measure(MODULES[name], bench.again(topic), wanted, within_s=WITHIN_S)
        if n:
            found[name].append(reading)
            report.progress(f"round {n}: {name}: {reading.rate:,.0f} events/s")
    return found


def _print(found: Rounds) -> None:
    rates = {name: [reading.rate for reading in readings] for name, readings in found.items()}
    print("\n" + figures.table([_row(name, found, rates) for name in found]))
    for name, target in TARGETS.items():
        ratio = figures.ratio(rates[OURS], rates[name])
        print(f"{ratio.text(2)} x {name}, {figures.verdict(ratio.median, target)}")
    print(f"{figures.ratio(rates[OURS], rates[CONFLUENT]).text(2)} x {CONFLUENT}")


def _row(name: str, found: Rounds, rates: dict[str, list[float]]) -> dict[str, str]:
    cpu = [reading.cpu_s / reading.events * 1e6 for reading in found[name]]
    return {
        "median (lowest … highest)": name,
        "events/s": figures.Spread.of(rates[name]).text(),
        "CPU µs/event": figures.Spread.of(cpu).text(2),
    }


if __name__ == "__main__":
    sys.exit(report.main("ingest", main, _arguments()))
