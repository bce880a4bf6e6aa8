"""Rows for a predictor: the features of each, and the label that turned out to be true."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from contracts.errors import InputError
from streams.sources import rows_csv, rows_json
from streams.sources.fields import DIVISORS, plain_number, seconds
from streams.sources.file import File, fail, opened

FIRST_TS = 1_000_000_000  # a row without a time gets this plus its number
WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Example(NamedTuple):
    """The values for `features` and `labels` of one row; no label where its cell is empty."""

    features: dict[str, Any]
    label: dict[str, Any] | None


def read(path: str, predictor: str, label: str, ts_unit: str = "s") -> Iterator[Example]:
    """Yield one example per row: `x` is every column but `ts` and the label, numbers as numbers.

    An empty cell, `nan` or null is a missing feature. Ids are `file:row`.

    Raises:
        InputError: the file or a row is wrong; the message names the row.
    """
    with opened(path) as file:
        for row, cells in _rows(file, label):
            try:
                yield _example(cells, (predictor, label), f"{file.name}:{row}", row, ts_unit)
            except ValueError as error:
                fail(file, row, str(error))


def _rows(file: File, label: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if file.kind == "json lines":
        yield from rows_json.objects(file)
        return
    header, rows = rows_csv.table(file)
    if label not in header:
        raise InputError(f"{file.name} has no column '{label}'; it has {', '.join(header)}")
    for row, cells in rows:
        yield row, dict(zip(header, cells, strict=True))


def _example(
    cells: dict[str, Any], names: tuple[str, str], id_: str, row: int, ts_unit: str
) -> Example:
    predictor, label = names
    if label not in cells:
        raise ValueError(f"no field '{label}'; there are {', '.join(cells)}")
    y = _value(cells.pop(label), label)
    ts = seconds(cells.pop("ts"), DIVISORS[ts_unit]) if "ts" in cells else float(FIRST_TS + row)
    found = {name: _value(cell, name) for name, cell in cells.items()}
    x = {name: float(v) if type(v) is int else v for name, v in found.items() if v is not None}
    head = {"predictor": predictor, "id": id_}
    return Example({**head, "x": x, "ts": ts}, None if y is None else {**head, "y": y, "ts": ts})


def _value(cell: object, name: str) -> float | bool | str | None:
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
