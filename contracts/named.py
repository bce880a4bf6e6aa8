"""An object of the user's own, found by `package.module:name`."""

import difflib
import importlib
import traceback
from types import ModuleType
from typing import Any, TypeVar

from contracts.checked import Mistake
from contracts.errors import SettingsError

T = TypeVar("T")


def load(where: str, type_: type[T]) -> T:
    """Return the object that a name leads to, or what it returns if it is a function.

    Raises:
        SettingsError: it leads to no module, no name, or to something of another type.
    """
    module, _, name = where.partition(":")
    imported = _import(where, module)
    if not hasattr(imported, name):
        near = difflib.get_close_matches(name, vars(imported), 1)
        remedy = f"did you mean '{near[0]}'?" if near else "name one that it has"
        raise SettingsError(f"{where}: {module} has no '{name}'; {remedy}")
    found = getattr(imported, name)
    if not isinstance(found, type_) and callable(found):
        found = _call(where, found)
    if isinstance(found, type_):
        return found
    wanted = f"{type_.__module__}.{type_.__name__}"
    raise SettingsError(
        f"{where}: is a {type(found).__name__}, not a {type_.__name__}; let it be a {wanted}, or a "
        "function that returns one"
    )


def _import(where: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{where}: no module '{error.name}'; put its folder on PYTHONPATH"
        ) from None
    except Exception as error:
        raise SettingsError(f"{_place(where, error)} {_told(error)}") from error


def _call(where: str, function: Any) -> Any:
    try:
        return function()
    except Exception as error:
        raise SettingsError(f"{_place(where, error)} {_told(error)}") from error


def _place(where: str, error: Exception) -> str:
    """Return the file and line, outside this package, where an error came from."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{error.filename}, line {error.lineno}:"
    ours = ("contracts.", "importlib.")
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith(ours) and not frame.f_code.co_filename.startswith("<"):
            return f"{frame.f_code.co_filename}, line {line}:"
    return f"{where}:"


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, Mistake) else f"{error!r}; mend it"
