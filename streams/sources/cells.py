"""Rows with columns of any name, and what their cells say."""

from collections.abc import Iterator
from typing import Any

from contracts.errors import InputError
from streams.sources import rows_csv, rows_json
from streams.sources.fields import plain_number
from streams.sources.file import File

WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def rows(file: File, needed: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbered rows of a file by column; a CSV must have the one that is needed."""
    if file.kind == "json lines":
        yield from rows_json.objects(file)
        return
    header, found = rows_csv.table(file)
    if needed not in header:
        raise InputError(f"{file.name} has no column '{needed}'; it has {', '.join(header)}")
    for row, cells in found:
        yield row, dict(zip(header, cells, strict=True))


def value(cell: object, name: str) -> float | bool | str | None:
    """Return what a cell says: a number, a truth value, a text, or None for nothing.

    >>> value("2.50", "price"), value("true", "new"), value("", "kind")
    (2.5, True, None)
    """
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, str):
        if cell in WORDS:
            return WORDS[cell]
        found = plain_number(cell) if cell else None
        if found is None:
            return cell or None
        cell = int(cell) if cell.lstrip("+-").isdecimal() else found
    if not isinstance(cell, int | float) or cell in (float("inf"), float("-inf")):
        raise ValueError(f"{name} must be a finite number, a text or true/false, got {cell!r}")
    return cell if cell == cell else None
