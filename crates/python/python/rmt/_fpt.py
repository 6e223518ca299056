"""Certified limits of traces of random-matrix expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _figures, _native
from ._arrays import numbers


class Limit(dict[str, Any]):
    """``value`` of an expression with its certificate: ``rho`` (below 1), ``residual``, ``path``,
    ``error_estimate``. Jupyter shows the reduced system."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        self._native = _native.Expression(problem)
        super().__init__(self._native.evaluate())

    def __reduce__(self) -> Any:
        return (Limit, (self.problem,))

    @property
    def value(self) -> Any:
        """The limit; complex where a parameter is."""
        return self["value"]

    def derivative(self, parameter: str) -> Any:
        """Exact derivative by a parameter; None where the system is singular."""
        return self._native.derivative(parameter)

    def curve(self, **over: ArrayLike) -> Curve:
        """Along values of one parameter or size: ``limit.curve(lam=np.geomspace(1e-3, 10, 50))``."""
        key, values = _single("curve", over)
        return Curve(key, self._native.curve(key, numbers(values, key)))

    def density(self, *, smoothing: float = 1e-6, **over: ArrayLike) -> Curve:
        """Spectral density Im(value)/π as a parameter z runs along the real axis, for an expression such as
        ``tr(inv(M - z*I(p)))``: ``limit.density(z=np.linspace(0, 4, 200))``."""
        key, values = _single("density", over)
        points = numbers(values, key)
        found, errors = self._native.density(key, points, smoothing)
        return Curve(key, {"at": np.asarray(points), "density": found, "errors": errors})

    def check(self, draws: int, *, seed: int = 0, signs: bool = False) -> dict[str, Any]:
        """Simulates the same expression at the stated and at doubled sizes; ``verdict`` is ``"agrees"``,
        ``"converging"`` (a gap that shrinks) or ``"differs"``."""
        if draws < 2:
            raise _native.Error(f"draws: {draws}; give at least 2 for a standard error")
        return self._native.check(draws, seed, signs)

    def text(self) -> str:
        """The reduced system."""
        return self._native.written("text")

    def latex(self) -> str:
        """The reduced system as LaTeX."""
        return self._native.written("latex")

    def explain(self) -> str:
        """The steps from the expression to the system."""
        return self._native.written("explain")

    def python(self) -> str:
        """A NumPy function that solves the system."""
        return self._native.written("python")

    def rust(self) -> str:
        """A Rust function that solves the system."""
        return self._native.written("rust")

    def _repr_latex_(self) -> str:
        return _display(self.latex())


def _display(latex: str) -> str:
    """What MathJax shows: an `align*` environment as `aligned` inside dollars."""
    body = latex.strip().strip("$").strip()
    for name in ("align*", "align"):
        body = body.replace(f"\\begin{{{name}}}", "\\begin{aligned}")
        body = body.replace(f"\\end{{{name}}}", "\\end{aligned}")
    if "\\begin{" not in body:
        body = "\\begin{aligned}\n" + body + "\n\\end{aligned}"
    return "$$" + body + "$$"


def _single(method: str, over: Mapping[str, Any]) -> tuple[str, Any]:
    if len(over) != 1:
        raise _native.Error(f"{method}: name one parameter or size, as in {method}(lam=[0.1, 1.0])")
    return next(iter(over.items()))


class Curve(dict[str, Any]):
    """Arrays over one parameter or size: ``at``, ``value``, ``derivative``, ``rho``, ``residual`` (or ``density``).
    NaN where a point has no certified value; ``errors`` says why."""

    def __init__(self, key: str, record: dict[str, Any]) -> None:
        super().__init__(record)
        self.key = key

    def __reduce__(self) -> Any:
        return (Curve, (self.key, dict(self)))

    def to_frame(self) -> Any:
        """A row a point (pandas)."""
        columns = {self.key if k == "at" else k: v for k, v in self.items() if k != "errors"}
        return _figures.pandas().DataFrame(columns)

    def plot(self, ax: Any = None, **style: Any) -> Any:
        """The value (or density) over the parameter (matplotlib)."""
        ax = _figures.axes(ax)
        name = "density" if "density" in self else "value"
        style.setdefault("color", _figures.COLOURS[0])
        ax.plot(self["at"], np.real(self[name]), **style)
        ax.set_xlabel(self.key)
        ax.set_ylabel(name)
        if _figures.spans_decades(self["at"]):
            ax.set_xscale("log")
        return ax


def gallery() -> dict[str, str]:
    """Names of complete examples and what they compute; ``rmt.fpt(gallery="ridge_bias")`` takes one."""
    return {name: title for name, title, _ in _native.gallery()}


def _random(name: str, stated: Any) -> dict[str, Any]:
    if isinstance(stated, Mapping):
        return dict(stated)
    parts = stated.split(":") if isinstance(stated, str) else list(stated)
    if isinstance(stated, str):
        shape = parts[0].replace("×", ",").replace("x", ",").split(",")
        parts = [*shape, *parts[1:]]
    if not 2 <= len(parts) <= 4:
        raise _native.Error(
            f"random.{name}: give (rows, cols), (rows, cols, variance) or (rows, cols, variance, 'goe')"
        )
    rows, cols, *rest = parts
    record = {"rows": rows, "cols": cols, "variance": str(rest[0]) if rest else "1"}
    if len(rest) > 1:
        record["kind"] = rest[1]
    return record


def _deterministic(stated: Any) -> Any:
    if isinstance(stated, Mapping):
        return dict(stated)
    values = np.asarray(stated)
    return {"kind": "explicit" if values.ndim == 1 else "dense", "values": values.tolist()}


def fpt(
    expression: str | None = None,
    *,
    gallery: str | None = None,
    dims: Mapping[str, int] | None = None,
    random: Mapping[str, Any] | None = None,
    deterministic: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float | complex] | None = None,
    deterministic_shapes: Mapping[str, Sequence[str]] | None = None,
    dimension_weights: Mapping[str, Any] | None = None,
) -> Limit:
    """The large-size limit of a scalar expression in random matrices, certified.

    >>> import rmt
    >>> limit = rmt.fpt("tr(inv(Z'*Z/n + lam*I(p)))", dims={"n": 300, "p": 200},
    ...                 random={"Z": ("n", "p")}, parameters={"lam": 0.1})
    >>> round(limit.value, 6)
    1.805937

    Parameters
    ----------
    expression
        ``+ - * / ^``, ``'`` (transpose), ``inv(A)``, ``I(dim)``, ``sqrt(S)``, ``tr(A)`` = Tr(A)/dim, ``Tr(A)``.
    gallery
        An example by name (see :func:`gallery`); what is given besides replaces its entries.
    dims
        Sizes by name.
    random
        Random matrices: ``(rows, cols)`` of variance 1, ``(rows, cols, "1/p")``, ``(rows, cols, "1/p", "goe")``,
        or the same as ``"n×p:1/p"``.
    deterministic
        Eigenvalues (an array), a matrix, or a law such as ``{"kind": "power_law", "p": 200, "alpha": 1}``.
    parameters
        Real or complex numbers.
    """
    problem: dict[str, Any] = {}
    if gallery is not None:
        examples = {name: example for name, _, example in _native.gallery()}
        if gallery not in examples:
            raise _native.Error(f"gallery: no example {gallery!r}; known are {', '.join(examples)}")
        problem = examples[gallery]
    if expression is not None:
        problem["expression"] = expression
    if "expression" not in problem:
        raise _native.Error("expression: missing; give an expression, or gallery= for an example")
    stated: dict[str, dict[str, Any]] = {
        "dims": {k: int(v) for k, v in (dims or {}).items()},
        "random": {k: _random(k, v) for k, v in (random or {}).items()},
        "deterministic": {k: _deterministic(v) for k, v in (deterministic or {}).items()},
        "parameters": {k: v for k, v in (parameters or {}).items()},
        "deterministic_shapes": {k: list(v) for k, v in (deterministic_shapes or {}).items()},
        "dimension_weights": {k: _deterministic(v) for k, v in (dimension_weights or {}).items()},
    }
    for group, entries in stated.items():
        if entries or group == "dims":
            problem[group] = {**problem.get(group, {}), **entries}
    return Limit(problem)
