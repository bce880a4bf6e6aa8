"""Runs a benchmark, shows what it prints and, if wanted, puts it into a document."""

import io
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from contracts import exits
from contracts.errors import HeadwaterError, InputError


class _Both(io.StringIO):
    """Keeps what is written and shows it at once."""

    def write(self, text: str) -> int:
        if sys.__stdout__ is not None:
            sys.__stdout__.write(text)
            sys.__stdout__.flush()
        return super().write(text)


def progress(text: str) -> None:
    """Tell how far a benchmark is; this is not part of its report."""
    print(text, file=sys.stderr, flush=True)


def main(name: str, run: Callable[[Namespace], bool | None], args: Namespace) -> int:
    """Run a benchmark and return its exit code; that of a failure if `run` says False.

    What a user can mend is one line; Ctrl-C and SIGTERM end it with all its processes.
    """
    document: Path | None = args.into
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with redirect_stdout(_Both()) as printed:
            met = run(args)
        if document is not None:
            put(document, name, printed.getvalue())
    except HeadwaterError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return exits.INTERRUPTED.code
    return exits.FAILED.code if met is False else exits.OK.code


def put(document: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of a benchmark.

    Raises:
        InputError: the document has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = document.read_text(encoding="utf-8")
    if begin not in whole or end not in whole:
        raise InputError(f"{document} has no lines {begin} and {end}; add them where it belongs")
    today = datetime.now(UTC).date().isoformat()
    block = f"{begin}\n```text\n{today}\n{text.strip()}\n```\n{end}"
    before, after = whole.partition(begin)[0], whole.partition(end)[2]
    document.write_text(before + block + after, encoding="utf-8")
