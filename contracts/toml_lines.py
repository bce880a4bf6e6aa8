"""On which line of a TOML document a key stands: `tomllib` tells values, not their places."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Key = tuple[str, ...]

# What may hide a line's end, a bracket or a quote from who looks for them.
PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[{]|[\]}]|\n|[^\"'#\[\]{}\n]+",
    re.S,
)


def lines(text: str) -> dict[Key, int]:
    r"""Return the first line of every key and table of a valid document.

    A key of an inline table stands where its statement begins.

    >>> lines('a = 1\n[b."c d"]  # here\ne.f = [\n2]\ng = {h = 3}')[("b", "c d", "g", "h")]
    5
    """
    found: dict[Key, int] = {}
    table: Key = ()
    for line, statement in _statements(text):
        keys = list(_keys(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = keys[-1]
            keys = [table[:end] for end in range(1, len(table) + 1)]
        else:
            keys = [table + key for key in keys]
        for key in keys:
            found.setdefault(key, line)
    return found


def nearest(found: dict[Key, int], key: Key) -> int:
    """Return the line of a key, else that of the nearest key or table around it, else 1."""
    ends = range(len(key), 0, -1)
    return next((found[key[:end]] for end in ends if key[:end] in found), 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each header and each `key = value` with the line it begins on."""
    line, depth, begun, parts = 1, 0, 1, list[str]()
    for piece in PIECE.findall(text + "\n"):
        depth += (piece in "[{") - (piece in "]}")
        if piece == "\n" and depth == 0:
            if "".join(parts).strip():
                yield begun, "".join(parts)
            parts, begun = [], line + 1
        elif not piece.startswith("#"):
            parts.append(piece)
        line += piece.count("\n")


def _keys(tree: Any, above: Key = ()) -> Iterator[Key]:
    """Yield the keys of a tree, each one behind the one that holds it."""
    for name, value in tree.items() if isinstance(tree, dict) else ():
        yield (*above, name)
        yield from _keys(value, (*above, name))
