"""Vectors: loops over the candidates that a processor runs through many at a time.

They are small on purpose: a compiler takes a loop apart into vectors only when nothing in it
branches or aliases. For the largest of floats it does not, for the largest of whole numbers it
does: hence `turned`.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from learners.arrays import F32
from learners.kernel import kernel

ALL_BUT_SIGN = np.int32(0x7FFFFFFF)
FRACTION, ONE = np.int32(0x007FFFFF), np.int32(0x3F800000)  # of a float's bits; those of 1.0
# log2(1 + f) / f for f from 0 to 1, interpolated at Chebyshev's points
Q0, Q1, Q2, Q3, Q4 = (
    np.float32(q) for q in (1.44261568, -0.71706393, 0.44227418, -0.22771264, 0.05994559)
)


def _same_bits(given: Any, wanted: Any, kind: Any) -> Any:
    """Return an intrinsic that takes a number's bits for those of another kind of number."""

    def convert(_: Any, value: Any) -> Any:  # noqa: ARG001 - numba looks at the names
        def code(_: Any, builder: Any, __: Any, values: Any) -> Any:
            return builder.bitcast(values[0], kind)

        return wanted(given), code

    return intrinsic(convert)


bits = _same_bits(types.float32, types.int32, ir.IntType(32))
of_bits = _same_bits(types.int32, types.float32, ir.FloatType())


@kernel(inner=True, fastmath=True)
def log2(value: np.float32) -> np.float32:
    """Return the logarithm to base 2 of a number above 0, to within .0001."""
    whole = bits(value)
    exponent = np.float32(np.int32(whole >> np.int32(23)) - np.int32(127))
    f = of_bits(np.int32(np.int32(whole & FRACTION) | ONE)) - np.float32(1.0)
    return exponent + f * (Q0 + f * (Q1 + f * (Q2 + f * (Q3 + f * Q4))))


@kernel(inner=True)
def turned(whole: np.int32) -> np.int32:
    """Return whole numbers that are ordered as the floats with these bits; its own inverse."""
    return np.int32(whole ^ np.int32(np.int32(whole >> np.int32(31)) & ALL_BUT_SIGN))


@kernel(inner=True)
def largest(values: F32, count: int) -> np.float32:
    """Return the largest of the first values, none of them NaN; of none whatever stands there."""
    most = turned(bits(values[0]))
    for k in range(count):
        most = max(most, turned(bits(values[k])))
    return of_bits(turned(most))


@kernel(inner=True, fastmath=True)
def sum_of(values: F32, count: int) -> np.float32:
    """Return the sum of the first values."""
    total = np.float32(0.0)
    for k in range(count):
        total += values[k]
    return total
