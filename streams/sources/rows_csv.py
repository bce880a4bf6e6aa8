"""Interactions from CSV with a header; commas, semicolons, tabs or bars between the cells."""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contracts.errors import InputError
from streams.sources.fields import DIVISORS, FIELDS, identifier, number, seconds
from streams.sources.file import File, fail

DELIMITERS = ",;\t|"
Row = list[str]
Read = Callable[[int, Row], dict[str, Any]]


def interactions(file: File, columns: Mapping[str, str], ts_unit: str) -> Iterator[dict[str, Any]]:
    """Yield one interaction per row, as `reader.read` promises."""
    header, rows = table(file)
    event = _reader(file.name, places(file.name, header, columns), DIVISORS[ts_unit])
    for row, cells in rows:
        try:
            yield event(row, cells)
        except ValueError as error:
            fail(file, row, str(error))


def table(file: File) -> tuple[Row, Iterator[tuple[int, Row]]]:
    """Return the header and the numbered rows, each as wide as the header; empty lines drop out."""
    try:
        first = next(file.lines).decode()
        delimiter = max(DELIMITERS, key=first.count)
        reader = csv.reader(_texts(file, first), delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(reader)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{file.name}: no header in UTF-8 with names of columns: {error}"
        ) from None
    return header, _rows(file, reader, header)


def places(name: str, header: Row, columns: Mapping[str, str]) -> dict[str, int]:
    """Return where each field stands; `session` is the user where there is no `user`."""
    found = {field: header.index(field) for field in FIELDS if field in header}
    if "session" in found and "user" not in (found.keys() | columns.keys()):
        found["user"] = found.pop("session")
    for field, column in columns.items():
        if column not in header:
            raise InputError(f"{name} has no column '{column}'; it has {', '.join(header)}")
        found[field] = header.index(column)
    for field in ("user", "item", "ts"):
        if field not in found:
            raise InputError(
                f"{name} has no column '{field}'; it has {', '.join(header)}; say --{field} COLUMN"
            )
    return found


def _texts(file: File, first: str) -> Iterator[str]:
    yield first
    for line, raw in enumerate(file.lines, 2):
        try:
            yield raw.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{file.name}, line {line}: not UTF-8: {error.reason}") from None


def _rows(file: File, reader: Any, header: Row) -> Iterator[tuple[int, Row]]:
    row, width = 0, len(header)
    try:
        for row, cells in enumerate(reader, 1):
            if len(cells) == width:
                yield row, cells
            elif cells:
                fail(file, row, f"{len(cells)} columns, but the header has {width}")
    except csv.Error as error:
        fail(file, row + 1, f"not CSV: {error}")


def _reader(name: str, at: Mapping[str, int], divisor: float) -> Read:
    user_at, item_at, ts_at = at["user"], at["item"], at["ts"]
    extras = [(field, i) for field, i in at.items() if field not in ("user", "item", "ts")]

    def event(row: int, cells: Row) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "event_id": f"{name}:{row}",
            "user": identifier(cells[user_at], "user"),
            "item": identifier(cells[item_at], "item"),
            "action": "view",
            "ts": seconds(cells[ts_at], divisor),
        }
        for field, i in extras:
            if cells[i]:
                cell = cells[i]
                fields[field] = number(cell, field) if field == "value" else identifier(cell, field)
        return fields

    return event
