"""How kernels are compiled: once per machine, without the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function over arrays at its first call and keep the result on disk."""
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
