"""Open what a user names: a plain or gzip file or stdin, with CSV or JSON lines in it."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, NoReturn

from contracts.errors import InputError

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"


class File(NamedTuple):
    """An open file: its name for messages and event ids, its lines, and what stands in it."""

    name: str
    lines: Iterator[bytes]
    kind: Literal["csv", "json lines"]


@contextmanager
def opened(path: str) -> Iterator[File]:
    """Open a file, or stdin for `-`, and say by its first bytes what it is.

    Raises:
        InputError: it does not exist, cannot be read, is empty or is a damaged gzip file.
    """
    name = "stdin" if path == "-" else Path(path).name
    try:
        with _raw(path) as raw:
            plain = _unpacked(raw)
            yield File(name, _lines(plain), _kind(plain, name))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: the gzip file is damaged ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file that can be read") from None


def fail(file: File, row: int, problem: str) -> NoReturn:
    """Raise the error of one row, counted from 1 behind the header."""
    raise InputError(f"{file.name}, row {row}: {problem}")


def _raw(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")


def _unpacked(raw: BinaryIO) -> Any:
    stream: Any = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)
    if not stream.peek(2).startswith(GZIP):
        return stream
    # GzipFile reads a line in Python; the buffer around it reads one in C.
    return io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 16)


def _kind(plain: Any, name: str) -> Literal["csv", "json lines"]:
    start = plain.peek(1).removeprefix(BOM)
    if not start:
        raise InputError(f"{name} is empty; it needs rows")
    return "json lines" if start.lstrip().startswith(b"{") else "csv"


def _lines(plain: Iterable[bytes]) -> Iterator[bytes]:
    lines = iter(plain)
    yield next(lines, b"").removeprefix(BOM)
    yield from lines
