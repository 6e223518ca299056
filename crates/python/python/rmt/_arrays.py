"""Array-likes as the compiled half takes them: contiguous, 64 bits, in C order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._native import Error


def floats(values: ArrayLike, name: str, ndim: int) -> NDArray[np.float64]:
    """A contiguous float64 array of that rank; strided, float32, Fortran-ordered, read-only arrays, lists,
    frames and series all do."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise Error(f"{name}: complex numbers where real ones are needed")
        array = np.ascontiguousarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, Error):
            raise
        raise Error(f"{name}: not an array of numbers ({error})") from error
    if array.ndim != ndim and not (ndim == 1 and array.ndim == 0):
        raise Error(f"{name}: {array.ndim}-dimensional where {ndim} dimensions are needed")
    return array.reshape(-1) if ndim == 1 else array


def numbers(values: ArrayLike, name: str) -> list[float]:
    """A list of floats, from an array-like or a single number."""
    result: list[float] = floats(np.atleast_1d(np.asarray(values)), name, 1).tolist()
    return result


def like(values: ArrayLike, result: NDArray[Any]) -> Any:
    """`result` in the shape of `values`: a scalar for a scalar."""
    shape = np.shape(values)
    return result.reshape(shape) if shape else result.reshape(-1)[0].item()
