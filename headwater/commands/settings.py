"""`headwater settings`: every setting, its value and where that comes from."""

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from contracts import exits, pipeline_shown
from contracts.settings import Settings, describe, shown
from headwater.commands import COMMANDS
from headwater.local import known

if TYPE_CHECKING:
    from headwater.commands import Subparsers


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `settings`."""
    parser = subparsers.add_parser("settings", help=COMMANDS["settings"][1])
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print each setting and the pipeline with their origins; secrets are masked."""
    origins = known.origins(os.environ)
    rows = {name: (value, origins[name]) for name, value in shown(settings).items()}
    learns = {f"pipeline.{k}": row for k, row in pipeline_shown.table(settings.pipeline).items()}
    if args.json:
        told = {n: {"value": value, "origin": at} for n, (value, at) in (rows | learns).items()}
        print(json.dumps(told, indent=2))
        return exits.OK.code
    _print(rows, {name: "{1} [{0}]".format(*describe(name)) for name in rows})
    print("\nSet one as HEADWATER_<NAME>, or in the TOML file that HEADWATER_CONFIG names.\n")
    _print(learns, {})
    print("\nSet these in the TOML file or Python object that the setting `pipeline` names.")
    return exits.OK.code


def _print(rows: dict[str, tuple[Any, str]], about: dict[str, str]) -> None:
    wide = max(map(len, rows))
    for name, (value, origin) in rows.items():
        print(f"{name:<{wide}}  {value!r}  ({origin})")
        if name in about:
            print(f"{'':<{wide}}    {about[name]}")
