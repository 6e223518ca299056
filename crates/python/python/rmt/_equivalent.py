"""Deterministic equivalents: a spectrum seen through stages of randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._arrays import floats, like


class DeterministicEquivalent:
    """A population spectrum seen through stages; every stage renormalises the ridge.

    Parameters
    ----------
    spectrum
        Population eigenvalues: an array, or a law such as
        ``{"kind": "power_law", "p": 1000, "alpha": 1.2}``.
    stages
        From the population outwards, one dictionary a stage: ``{"samples": n}``,
        ``{"samples": n, "correlation": {"kind": "exponential", "length": 5}}``, ``{"width": N}``,
        ``{"activation": {"gain": a, "tail": t}}``. None: infinite data, κ = λ.

    Methods take a ridge λ ≥ 0 or an array of them and answer in that shape. λ is the ridge of
    (1/n)‖y − Xθ‖² + λ‖θ‖², never multiplied by n; degrees of freedom are sums over modes.
    """

    def __init__(
        self,
        spectrum: ArrayLike | Mapping[str, Any],
        stages: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        law = dict(spectrum) if isinstance(spectrum, Mapping) else floats(spectrum, "spectrum", 1)
        self._spectrum, self._stages = law, list(stages)
        self._native = _native.Equivalent(law, self._stages)

    def __reduce__(self) -> Any:
        return (DeterministicEquivalent, (self._spectrum, self._stages))

    def __repr__(self) -> str:
        return f"<rmt.DeterministicEquivalent of {self._native.dimension:g} modes, stages {self._stages}>"

    def solve(self, lam: ArrayLike) -> dict[str, Any]:
        """``kappa``, ``df1``, ``df2``, ``dof`` (after the last stage), ``ridges`` (seen after 0, 1, … stages),
        ``iterations`` and ``residual`` at each λ."""
        return self._native.solve(floats(lam, "lambda", 1))

    def _one(self, name: str, lam: ArrayLike) -> Any:
        flat = floats(np.reshape(np.asarray(lam), -1), "lambda", 1)
        return like(lam, np.asarray(self._native.solve(flat)[name]))

    def kappa(self, lam: ArrayLike) -> Any:
        """The ridge κ that the population modes see; λ may be complex, off the negative axis."""
        if np.asarray(lam).dtype.kind == "c":
            flat = np.ascontiguousarray(np.reshape(np.asarray(lam), -1), dtype=np.complex128)
            return like(lam, self._native.kappa_complex(flat))
        return self._one("kappa", lam)

    def df1(self, lam: ArrayLike) -> Any:
        """Σ s/(s + κ)."""
        return self._one("df1", lam)

    def df2(self, lam: ArrayLike) -> Any:
        """Σ s²/(s + κ)²."""
        return self._one("df2", lam)

    @property
    def kappa_at_zero(self) -> float:
        """κ at λ = 0: zero, or where the smallest capacity is used up."""
        return self._native.kappa_at_zero

    def density(self, x: ArrayLike) -> Any:
        """Density of the non-zero spectrum (per dimension, without the mass at zero) at points x > 0, on the
        real axis itself."""
        flat = floats(np.reshape(np.asarray(x), -1), "x", 1)
        order = np.argsort(flat, kind="stable")
        found = np.empty_like(flat)
        # Ascending points are solved from their neighbours.
        found[order] = self._native.density(flat[order])
        return like(x, found)

    def stieltjes(self, z: ArrayLike) -> Any:
        """(1/p) Tr (Σ̂ − z)⁻¹ at complex z off the real axis."""
        flat = np.ascontiguousarray(np.reshape(np.asarray(z), -1), dtype=np.complex128)
        return like(z, self._native.stieltjes(flat))

    def _support(self) -> tuple[list[float], float]:
        found = self._native.support()
        if found is None:
            raise _native.Error(
                "support: edges are exact where samples are the only stage; elsewhere use density()"
            )
        return found

    @property
    def support(self) -> NDArray[np.float64]:
        """Intervals of the support, a row each, without the mass at zero; samples must be the only stage."""
        return np.asarray(self._support()[0]).reshape(-1, 2)

    @property
    def mass_at_zero(self) -> float:
        """Fraction of exactly zero eigenvalues of the p×p sample covariance."""
        return self._support()[1]
