"""How kernels are compiled: once per machine, and without the interpreter's lock."""

from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
