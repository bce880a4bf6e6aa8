"""The command `headwater`: finds the command's module, reads the settings, names the errors."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from contracts import exits
from contracts.errors import HeadwaterError, InputError
from headwater.commands import COMMANDS


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    What a user can mend is one line on standard error, never a traceback; a traceback is a
    fault of ours.
    """
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except HeadwaterError as error:
        print(f"headwater: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return exits.INTERRUPTED.code
    except BrokenPipeError:  # `headwater settings | head`: who read us has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK.code


def _run(argv: Sequence[str]) -> int:
    chosen = argv[0] if argv else ""
    module = _load(chosen) if chosen in COMMANDS else None
    try:
        args = _parser(chosen, module).parse_args(argv)
    except SystemExit as end:  # after --help, --version or a usage message
        return int(end.code or 0)
    from headwater.local import known

    assert module is not None  # noqa: S101 - argparse requires a known command
    return int(module.run(args, known.settings(os.environ)))


def _parser(chosen: str, module: ModuleType | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headwater",
        description="Events in through Kafka, live answers out of Redis.",
        epilog="`headwater COMMAND --help` tells more; settings are HEADWATER_… variables.",
    )
    parser.add_argument("--version", action="version", version=f"headwater {_version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for name, (_, help_) in COMMANDS.items():
        if name == chosen and module is not None:
            module.add(subparsers)
        else:
            subparsers.add_parser(name, help=help_)
    return parser


def _load(name: str) -> ModuleType:
    path = COMMANDS[name][0]
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise InputError(f"'{name}' is not part of this build; see `headwater --help`") from None


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("headwater")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(checkout)"
