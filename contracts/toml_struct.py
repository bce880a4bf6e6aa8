"""A checked struct from a TOML file, where a mistake is told with its line and its remedy.

Tables are structs, `name = false` leaves a struct out where that may be, and what the file does
not name is as in the struct it is laid over.
"""

import difflib
import re
import reprlib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from contracts import toml_lines
from contracts.checked import Checked, Mistake, struct_of, types
from contracts.errors import SettingsError
from contracts.toml_lines import Key

S = TypeVar("S", bound=Checked)


class _Misplaced(Exception):
    """A mistake and the keys where it can be mended."""

    def __init__(self, keys: list[Key], said: str, remedy: str) -> None:
        self.keys, self.said, self.remedy = keys, said, remedy


def read(path: str, base: S) -> S:
    """Return a struct with what a file says laid over it.

    Raises:
        SettingsError: the file cannot be read, or what it says is wrong; names line and remedy.
    """
    text = _text(path)
    tree = _parse(path, text)
    try:
        return _laid_over(base, tree, ())
    except _Misplaced as wrong:
        found = toml_lines.lines(text)
        key = next((key for key in wrong.keys if key in found), wrong.keys[0])
        line, name = toml_lines.nearest(found, key), ".".join(wrong.keys[0])
        raise SettingsError(f"{path}, line {line}: {name} {wrong.said}; {wrong.remedy}") from None


def named(path: str) -> set[str]:
    """Return the keys that a file, once read, gives a value, with those that hold them."""
    return {".".join(key) for key in toml_lines.lines(_text(path))}


def _text(path: str) -> str:
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; name a TOML file that is there") from None
    try:
        return raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None


def _parse(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        said = str(error).partition(" (at ")[0]
        at = re.search(r"\(at line (\d+)", str(error))
        line = int(at[1]) if at else text.rstrip("\n").count("\n") + 1
        raise SettingsError(
            f"{path}, line {line}: not TOML: {said}; write it as https://toml.io says"
        ) from None


def _laid_over(base: S, table: Any, at: Key) -> S:
    known = types(type(base))
    for name in _table(table, at):
        if name not in known:
            raise _unknown(name, list(known), at)
    given = {
        name: _value(known[name], getattr(base, name), value, (*at, name))
        for name, value in table.items()
    }
    values = {name: getattr(base, name) for name in known}
    try:
        return type(base)(**(values | given))
    except Mistake as wrong:
        keys = [(*at, field) for field in wrong.fields]
        raise _Misplaced(keys, wrong.said, wrong.remedy) from None


def _value(type_: Any, base: Any, value: Any, at: Key) -> Any:
    struct = struct_of(type_)
    if struct is None:
        return value
    if get_origin(type_) is dict:
        names = _table(value, at)
        return {n: _laid_over(base.get(n, struct()), names[n], (*at, n)) for n in names}
    base = struct() if base is None else base  # left out unless it is asked for
    if isinstance(value, bool):
        return _switched(type_, base, value, at)
    return _laid_over(base, value, at)


def _switched(type_: Any, base: Any, on: bool, at: Key) -> Any:
    if on:
        return base
    if type(None) in get_args(type_):
        return None
    raise _Misplaced([at], "cannot be left out", "remove the line")


def _table(value: Any, at: Key) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise _Misplaced(
        [at],
        f"must be a table, got {reprlib.repr(value)}",
        f"write [{'.'.join(at)}] and its keys below",
    )


def _unknown(name: str, known: list[str], at: Key) -> _Misplaced:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    where = f"[{'.'.join(at)}]" if at else "the top"
    keys = f"the keys of {where} are {', '.join(known)}" if known else f"{where} has no keys"
    return _Misplaced([(*at, name)], "is unknown", meant + keys)
