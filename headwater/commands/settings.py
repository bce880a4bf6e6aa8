"""`headwater settings`: every setting, its value and where that comes from."""

import argparse
import json
import os
from typing import TYPE_CHECKING

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
    """Print each setting with its origin; secrets are masked."""
    origins = known.origins(os.environ)
    values = shown(settings)
    if args.json:
        table = {n: {"value": v, "origin": origins[n]} for n, v in values.items()}
        print(json.dumps(table, indent=2))
        return 0
    wide = max(map(len, values))
    for name, value in values.items():
        type_, meaning = describe(name)
        print(f"{name:<{wide}}  {value!r}  ({origins[name]})")
        print(f"{'':<{wide}}    {meaning} [{type_}]")
    print("\nSet one as HEADWATER_<NAME>, or in the TOML file that HEADWATER_CONFIG names.")
    return 0
