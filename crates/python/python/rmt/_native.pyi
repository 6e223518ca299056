"""The compiled half: called by the modules beside it, not by users."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

__version__: str

class Error(ValueError):
    """Bad input, or a question without an answer."""

    kind: str
    key: str | None

def cards() -> list[dict[str, Any]]: ...
def prepared(task: str, inputs: dict[str, Any]) -> dict[str, Any]: ...
def place(
    task: str, inputs: dict[str, Any], keys: list[str], values: list[float]
) -> tuple[list[float], list[dict[str, Any]]]: ...
def evaluate(
    task: str, inputs: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], list[str]] | Error]: ...
def draw(
    task: str, inputs: list[dict[str, Any]], draws: int, seed: int
) -> list[list[dict[str, Any]]]: ...
def fit_kernel(
    x: _Floats,
    groups: NDArray[np.int64] | None = None,
    times: _Floats | None = None,
    centre: bool = True,
) -> dict[str, Any]: ...
def ridge(
    x: _Floats,
    y: _Floats,
    *,
    criterion: str,
    beside: Sequence[str],
    sample_correlation: object,
    groups: NDArray[np.int64] | None = None,
    times: _Floats | None = None,
    lambdas: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    intercept: bool = True,
    standardize: bool = False,
    own_lambda: bool = False,
    blocks: int | None = None,
    gap: int | None = None,
    learning_sizes: Sequence[int] | None = None,
    approximate: bool = False,
) -> dict[str, Any]: ...
def consistency(
    x: _Floats,
    *,
    sizes: Sequence[int],
    sigma: Sequence[float],
    sigma_min: float,
    sigma_max: float,
    tolerance: float,
    mean: str,
    check: int | None = None,
    seed: int = 0,
    generated: tuple[_Floats, _Floats] | None = None,
    trained_on: int | None = None,
) -> dict[str, Any]: ...
def gallery() -> list[tuple[str, str, dict[str, Any]]]: ...

class Equivalent:
    def __new__(cls, spectrum: object, stages: object) -> Equivalent: ...
    depth: int
    dimension: float
    kappa_at_zero: float
    def solve(self, lambdas: _Floats) -> dict[str, Any]: ...
    def kappa_complex(self, lambdas: NDArray[np.complex128]) -> NDArray[np.complex128]: ...
    def stieltjes(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]: ...
    def density(self, points: _Floats) -> _Floats: ...
    def support(self) -> tuple[list[float], float] | None: ...

class Expression:
    def __new__(cls, problem: dict[str, Any]) -> Expression: ...
    def evaluate(self) -> dict[str, Any]: ...
    def derivative(self, parameter: str) -> float | complex | None: ...
    def curve(self, key: str, values: Sequence[float]) -> dict[str, Any]: ...
    def density(
        self, parameter: str, points: Sequence[float], smoothing: float
    ) -> tuple[_Floats, list[tuple[float, str]]]: ...
    def check(self, draws: int, seed: int, signs: bool) -> dict[str, Any]: ...
    def written(self, form: str) -> str: ...
