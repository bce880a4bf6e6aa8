"""Items of a catalogue from a file: ids, attributes, and what is hidden."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from streams.sources.cells import rows, value
from streams.sources.fields import identifier
from streams.sources.file import fail, opened

BETWEEN = "|"  # what stands between the values of a column with several


class Columns(NamedTuple):
    """Where id and visibility stand, and which columns hold several values.

    Without a column for visibility it is `hidden`, where there is one.
    """

    item: str = "item"
    hidden: str = ""
    several: Collection[str] = ()


def read(path: str, columns: Columns) -> Iterator[dict[str, Any]]:
    """Yield the message for `items` of each row; `-` is stdin.

    What is neither id nor `hidden` is an attribute: numbers as numbers, true and false as such,
    empty cells left out. JSON lines may also have all of them under `attributes`, as messages have.

    Raises:
        InputError: the file or a row is wrong; the message names the row.
    """
    with opened(path) as file:
        for number, row in rows(file, columns.item):
            try:
                yield _item(row, columns)
            except ValueError as error:
                fail(file, number, str(error))


def _item(row: dict[str, Any], columns: Columns) -> dict[str, Any]:
    if columns.item not in row:
        raise ValueError(f"no field '{columns.item}'; say --item FIELD")
    name = identifier(row.pop(columns.item), "item")
    if columns.hidden and columns.hidden not in row:
        raise ValueError(f"no field '{columns.hidden}'; there are {', '.join(row)}")
    name_of_hidden = columns.hidden or "hidden"
    hidden = value(row.pop(name_of_hidden, None), name_of_hidden)
    if hidden not in (None, False, True):  # 0 and 1 are equal to them
        raise ValueError(f"{name_of_hidden} must be true or false, got {hidden!r}")
    if "attributes" in row and (not isinstance(row["attributes"], dict) or len(row) > 1):
        raise ValueError("attributes must be an object, and no other fields beside it")
    given = row.get("attributes", row)
    found = {key: _attribute(cell, key, columns) for key, cell in given.items()}
    attributes = {key: cell for key, cell in found.items() if cell is not None}
    return {"item": name, "attributes": attributes, "hidden": bool(hidden)}


def _attribute(cell: object, name: str, columns: Columns) -> object:
    if name in columns.several and isinstance(cell, str):
        return [text for text in cell.split(BETWEEN) if text] or None
    if isinstance(cell, list):
        return [value(each, name) for each in cell]
    return value(cell, name)
