"""The correlation of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._arrays import floats


def labels(groups: Any) -> NDArray[np.int64] | None:
    """Any labels as integers from 0 on."""
    if groups is None:
        return None
    try:
        positions = np.unique(np.asarray(groups), return_inverse=True)[1]
    except TypeError as error:
        raise _native.Error(f"groups: labels must be comparable, numbers or text ({error})") from error
    return np.ascontiguousarray(positions.reshape(-1), dtype=np.int64)


def fit_kernel(
    X: ArrayLike, *, groups: Any = None, times: ArrayLike | None = None, centre: bool = True
) -> dict[str, Any]:
    """Families of correlations fitted to the rows of X (n×p).

    With ``groups`` only pairs inside a group count; with ``times`` the fitted length is in their unit. Returns
    ``best``, ``exponential`` and ``power_law`` (dictionaries with the parameter, its ``standard_error`` and the
    ``misfit``; None where the family does not fit), ``autocorrelation``, ``white_error`` (two of them are
    the threshold of ``best``) and ``effective_features``.
    """
    stamps = None if times is None else floats(times, "times", 1)
    return _native.fit_kernel(floats(X, "X", 2), labels(groups), stamps, centre)
