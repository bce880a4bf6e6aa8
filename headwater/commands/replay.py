"""`headwater replay FILE`: send a file to Kafka, or fold it here without Kafka (`--offline`)."""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from contracts import exits, pipeline
from contracts import settings as contract
from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import COMMANDS, above_0, whole
from headwater.progress import counting

if TYPE_CHECKING:
    from headwater.commands import Subparsers

FIELDS = ("user", "item", "ts", "action", "value", "event-id")


def add(subparsers: "Subparsers") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("replay", help=COMMANDS["replay"][1])
    option = parser.add_argument
    option("file", metavar="FILE", help="CSV with a header or JSON lines, gzip or not; - is stdin")
    option("--rate", type=above_0, metavar="N", help="rows per second (default: no limit)")
    option("--limit", type=whole, metavar="N", help="stop after N rows")
    for field in FIELDS:
        option(f"--{field}", metavar="COLUMN", help=f"column of `{field.replace('-', '_')}`")
    option("--ts-unit", choices=("s", "ms"), default="s", help="unit of the times (default: s)")
    option("--predictor", metavar="NAME", help="send features and labels of this predictor")
    option("--label", metavar="COLUMN", help="with --predictor: the column to predict")
    option("--offline", action="store_true", help="learn and judge here, without Kafka or Redis")
    option("--json", action="store_true", help="with --offline: print JSON")
    option(
        "--repeats",
        choices=("always", "never", "learn"),
        help="with --offline: as the setting (default: the setting if it is given, else always)",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send or fold the file; returns the exit code."""
    _check(args)
    return _offline(args, settings) if args.offline else _send(args, settings)


def _send(args: argparse.Namespace, settings: Settings) -> int:
    from streams.kafka import producer

    send = producer.examples if args.predictor else producer.interactions
    rows = _rows(args)
    if args.rate:
        rows = producer.paced(rows, args.rate)
    with counting("sent", args.limit) as tell:
        try:
            sent = send(rows, settings, tell)
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted after {tell.count} rows of {args.file}\n")
            return exits.INTERRUPTED.code
    sys.stdout.write(f"{sent} rows of {_name(args)} sent to {settings.kafka}\n")
    return exits.OK.code


def _offline(args: argparse.Namespace, settings: Settings) -> int:
    pipeline.read(settings.pipeline)
    settings = msgspec.structs.replace(settings, repeats=_repeats(args, settings))
    rows = _rows(args)
    # What is wrong with a file is said before seconds go by with importing the learners.
    first = list(itertools.islice(rows, 1))
    with counting("learned", args.limit) as tell:
        report = _report(args, settings, tell.through(itertools.chain(first, rows)))
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(report)
        if not first:
            sys.stdout.write(f"no rows in {_name(args)}\n")
    return exits.OK.code


def _repeats(args: argparse.Namespace, settings: Settings) -> str:
    """Return whether items may return; figures are compared with all of them offered."""
    given = contract.origins(os.environ)["repeats"] != "default"
    return str(args.repeats or (settings.repeats if given else "always"))


def _report(args: argparse.Namespace, settings: Settings, rows: Iterator[Any]) -> dict[str, Any]:
    if args.predictor:
        from streams.predictions import unit as predictions

        return predictions.replay_offline(rows, settings, args.predictor).as_dict()
    from streams import offline

    return offline.replay(rows, settings).as_dict()


def _rows(args: argparse.Namespace) -> Iterator[Any]:
    from streams.sources import examples as source_examples
    from streams.sources import reader as source

    if args.predictor:
        rows: Iterator[Any] = source_examples.read(
            args.file, args.predictor, args.label, args.ts_unit
        )
    else:
        given = {field.replace("-", "_"): vars(args)[field.replace("-", "_")] for field in FIELDS}
        rows = source.read(args.file, given, args.ts_unit)
    return itertools.islice(rows, args.limit)


def _name(args: argparse.Namespace) -> str:
    return "stdin" if args.file == "-" else str(args.file)


def _check(args: argparse.Namespace) -> None:
    if (args.predictor is None) != (args.label is None):
        raise InputError("--predictor NAME and --label COLUMN belong together; give both")
    if args.limit is not None and args.limit < 0:
        raise InputError(f"--limit must be 0 or more, got {args.limit}")
    if args.repeats and not args.offline:
        raise InputError("--repeats needs --offline; a worker takes HEADWATER_REPEATS")
    if args.rate and args.offline:
        raise InputError("--rate needs Kafka; leave it or --offline out")
    if args.json and not args.offline:
        raise InputError("--json needs --offline; sending prints one line")


def _print(report: dict[str, Any]) -> None:
    plain = {name: value for name, value in report.items() if not isinstance(value, dict)}
    sys.stdout.write(", ".join(f"{n} {_shown(value)}" for n, value in plain.items()) + "\n")
    if len(plain) < len(report):
        _table(report)


def _table(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", *_measures(report), box=None, header_style="dim")
    for name, found in _flat(report):
        told = found if found.get("n") != 0 else {"n": 0}  # of nothing there is no quality
        table.add_row(name, *(_shown(told.get(measure)) for measure in _measures(report)))
    Console(soft_wrap=True).print(table)


def _measures(report: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(measure for _, found in _flat(report) for measure in found))


def _flat(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{name} {part}", found)
        for name, parts in report.items()
        if isinstance(parts, dict)
        for part, found in parts.items()
        if isinstance(found, dict)
    ]


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.0f}"
