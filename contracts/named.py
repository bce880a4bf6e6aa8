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
        f"{where}: gives {type(found).__name__}, not {type_.__name__}; let it be a {wanted}, or a "
        "function that returns one"
    )


def _import(where: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{where}: no module '{error.name}'; install it, or put its folder on PYTHONPATH"
        ) from None
    except Exception as error:
        raise SettingsError(_told(where, error)) from error


def _call(where: str, function: Any) -> Any:
    try:
        return function()
    except Exception as error:
        raise SettingsError(_told(where, error)) from error


def _told(where: str, error: Exception) -> str:
    said = str(error) if isinstance(error, Mistake) else f"{error!r}; mend it"
    return f"{_place(where, error)}: {said}"


def _place(where: str, error: Exception) -> str:
    """Return the last file and line of the named package that an error came through."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{error.filename}, line {error.lineno}"
    package = where.partition(":")[0].partition(".")[0]
    place = where
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package:
            place = f"{frame.f_code.co_filename}, line {line}"
    return place
