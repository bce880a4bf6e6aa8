"""Read interactions from a file as plain dicts: CSV or JSON lines, gzip or not, or stdin.

What a file is, its content decides, not its name. Nothing is skipped in silence: a row that
cannot be used ends the reading with its number and what was expected. Memory stays flat.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from contracts.errors import InputError
from streams.sources import rows_csv, rows_json
from streams.sources.file import opened

TsUnit = Literal["s", "ms"]


def read(
    path: str, columns: Mapping[str, str] | None = None, ts_unit: TsUnit = "s"
) -> Iterator[dict[str, Any]]:
    """Yield one interaction per row, in the file's order; `-` is stdin.

    `columns` names the column of a field where it is not called like it (`{"user": "visitor"}`).
    Without a `user` column `session` is the user; without `event_id` it is `file:row`; without
    `action` it is `view`. `ts` is in seconds, in milliseconds where `ts_unit` says so, or ISO.

    Raises:
        InputError: the file, its header or a row is wrong; the message names the row.
    """
    chosen = {field: name for field, name in (columns or {}).items() if name}
    with opened(path) as file:
        rows = rows_json.interactions if file.kind == "json lines" else rows_csv.interactions
        yield from rows(file, chosen, ts_unit)


def check(path: str) -> None:
    """Read the first row, so that what is wrong with a file is said before anything is started.

    Stdin and pipes are left alone: what is read from them is gone.

    Raises:
        InputError: the file, its header or its first row is wrong, or there is no row.
    """
    if path == "-" or Path(path).is_fifo() or Path(path).is_char_device():
        return
    if next(read(path), None) is None:
        raise InputError(f"{path} has a header but no rows; name a file with events")
