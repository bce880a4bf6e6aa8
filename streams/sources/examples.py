"""Rows for a predictor: the features of each, and the label that turned out to be true."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.sources.cells import rows, value
from streams.sources.fields import DIVISORS, seconds
from streams.sources.file import fail, opened

FIRST_TS = 1_000_000_000  # a row without a time gets this plus its number


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
        for row, found in rows(file, label):
            try:
                yield _example(found, (predictor, label), f"{file.name}:{row}", row, ts_unit)
            except ValueError as error:
                fail(file, row, str(error))


def _example(
    row: dict[str, Any], names: tuple[str, str], id_: str, number: int, ts_unit: str
) -> Example:
    predictor, label = names
    if label not in row:
        raise ValueError(f"no field '{label}'; there are {', '.join(row)}")
    y = value(row.pop(label), label)
    ts = seconds(row.pop("ts"), DIVISORS[ts_unit]) if "ts" in row else float(FIRST_TS + number)
    found = {name: value(cell, name) for name, cell in row.items()}
    x = {name: float(v) if type(v) is int else v for name, v in found.items() if v is not None}
    head = {"predictor": predictor, "id": id_}
    return Example({**head, "x": x, "ts": ts}, None if y is None else {**head, "y": y, "ts": ts})
