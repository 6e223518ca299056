"""Random matrix theory for machine learning.

>>> import rmt
>>> found = rmt.predict("ridge", spectrum=[4, 2, 1], target=[1, 1, 1], n=10, lambda_=0.1, noise_variance=0.1)
>>> round(found["risk"], 6)
0.07207

λ is the ridge of (1/n)‖y − Xθ‖² + λ‖θ‖² throughout, never multiplied by n: scikit-learn's ``alpha`` is nλ.
``lambda`` is a word of Python: write ``lambda_=``, or give the inputs as a dictionary.

Nothing is imported before it is used, NumPy included.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import population as population
    from ._consistency import Consistency, consistency
    from ._equivalent import DeterministicEquivalent
    from ._fpt import Limit, fpt, gallery
    from ._kernel import fit_kernel
    from ._native import Error
    from ._native import __version__ as __version__
    from ._ridge import CorrGCVRidge
    from ._tasks import (
        Card,
        Prediction,
        Simulation,
        Sweep,
        example,
        explain,
        models,
        predict,
        simulate,
        sweep,
    )

_HOME = {
    "Card": "_tasks",
    "Consistency": "_consistency",
    "CorrGCVRidge": "_ridge",
    "DeterministicEquivalent": "_equivalent",
    "Error": "_native",
    "Limit": "_fpt",
    "Prediction": "_tasks",
    "Simulation": "_tasks",
    "Sweep": "_tasks",
    "__version__": "_native",
    "consistency": "_consistency",
    "example": "_tasks",
    "explain": "_tasks",
    "fit_kernel": "_kernel",
    "fpt": "_fpt",
    "gallery": "_fpt",
    "models": "_tasks",
    "predict": "_tasks",
    "simulate": "_tasks",
    "sweep": "_tasks",
}

__all__ = [
    "Card",
    "Consistency",
    "CorrGCVRidge",
    "DeterministicEquivalent",
    "Error",
    "Limit",
    "Prediction",
    "Simulation",
    "Sweep",
    "consistency",
    "example",
    "explain",
    "fit_kernel",
    "fpt",
    "gallery",
    "models",
    "population",
    "predict",
    "simulate",
    "sweep",
]


# Hidden from type checkers, which would take any name for granted.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "population":
            return importlib.import_module(".population", __name__)
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module 'rmt' has no attribute {name!r}")
        value = getattr(importlib.import_module("." + home, __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(set(globals()) | set(__all__))
