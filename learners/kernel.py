"""How kernels are compiled: once per machine, and without the interpreter's lock."""

from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit


def kernel(
    function: Callable[..., Any] | None = None, *, fastmath: bool = False, inner: bool = False
) -> Any:
    """Compile a function at its first call and keep the result on disk.

    With `fastmath` sums may be taken in another order, which lets them run many at a time: the
    same on one machine, whatever the batches, and not to the last digit on another.

    An `inner` kernel becomes part of each kernel that calls it. Left as a call, it would run as
    compiled alone in the process that compiled it, and as compiled for its caller where the
    caller was read from disk: two processes would take a sum in different orders.

    Kernels take their memory from outside and allocate none, so numba need not count who uses
    which array; with the counting, events took twice as long: a `World` alone is thirty arrays.

    An `inner` kernel is called by kernels only: Python calling it would crash. Unpacking its
    tuples of arrays for Python would take a third of the time that all kernels take to compile.

    Numba recompiles when the function's own file changes, yet what it calls is compiled into it:
    with a change in `counts.py` alone, `step` would live on with the old counts. So what is
    kept is good only for this whole folder as it is.
    """
    if function is None:
        return partial(kernel, fastmath=fastmath, inner=inner)
    compiled = njit(
        cache=True,
        nogil=True,
        _nrt=False,  # as said; underscored, for it has no other name
        error_model="numpy",
        fastmath=fastmath,
        forceinline=inner,
        no_cpython_wrapper=inner,
        no_cfunc_wrapper=True,
    )(function)
    if hasattr(compiled, "_cache"):  # not where numba is switched off
        kept = compiled._cache._cache_file  # noqa: SLF001 - numba has no other way to say it
        kept._source_stamp = (kept._source_stamp, _folder())  # noqa: SLF001
    return compiled


@cache
def _folder() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
