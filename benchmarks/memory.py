"""What is held in memory: the arrays of an object, and what the process has in all."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

PAGE = os.sysconf("SC_PAGE_SIZE")


def rss(pid: int | None = None) -> int:
    """Return the bytes of a process, this one unless another is named, that are in memory."""
    return int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1]) * PAGE


def arrays(thing: Any) -> int:
    """Return the bytes of all arrays that an object reaches, each counted once.

    >>> row = np.zeros(10)
    >>> arrays({"a": row, "b": [row, np.zeros(3, np.int32)]})
    92
    """
    return _arrays(thing, set())


def _arrays(thing: Any, met: set[int]) -> int:
    if id(thing) in met or isinstance(thing, (str, bytes, int, float, type(None))):
        return 0
    met.add(id(thing))
    if isinstance(thing, np.ndarray):
        return _arrays(thing.base, met) if isinstance(thing.base, np.ndarray) else thing.nbytes
    return sum(_arrays(part, met) for part in _parts(thing))


def _parts(thing: Any) -> list[Any]:
    """Return what an object holds; of long lists the first tells whether they hold arrays."""
    if isinstance(thing, Mapping):
        return _some(list(thing.values()))
    if isinstance(thing, (list, tuple, set, frozenset)):
        return _some(list(thing))
    return list(vars(thing).values()) if hasattr(thing, "__dict__") else []


def _some(values: list[Any]) -> list[Any]:
    plain = len(values) > 0 and isinstance(values[0], (str, bytes, int, float))
    return [] if plain else values
