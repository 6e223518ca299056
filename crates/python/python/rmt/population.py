"""Predators, prey and scavengers: trajectories, equilibria, branches, fits.

Parameters are dictionaries by name; without them the task's example stands in, so that every function runs as it
is. ``rmt.explain("population_trajectory")`` shows the equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from . import _native
from ._arrays import floats, numbers
from ._tasks import Prediction, example, predict

__all__ = ["continuation", "equilibria", "fit", "hopf", "trajectory"]

Rates = Mapping[str, float]


def _given(**inputs: Any) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if value is not None}


def trajectory(
    parameters: Rates | None = None,
    initial_state: ArrayLike | None = None,
    times: ArrayLike | None = None,
    *,
    model: str | None = None,
    cap: float | None = None,
    extinction: float | None = None,
    tolerance: float | None = None,
) -> Prediction:
    """Densities over time: ``states`` (a row a time) and ``outcome``; what is not given is that of the
    example."""
    given = {} if model else example("population_trajectory")
    given |= _given(
        parameters=None if parameters is None else dict(parameters),
        initial_state=None if initial_state is None else numbers(initial_state, "initial_state"),
        times=None if times is None else numbers(times, "times"),
        model=model,
        cap=cap,
        extinction=extinction,
        tolerance=tolerance,
    )
    return predict("population_trajectory", given)


def equilibria(parameters: Rates | None = None, *, model: str | None = None) -> list[dict[str, Any]]:
    """Every equilibrium with its state, eigenvalues and kind."""
    given = {} if model else example("population_equilibria")
    given |= _given(parameters=None if parameters is None else dict(parameters), model=model)
    return list(predict("population_equilibria", given)["equilibria"])


def continuation(
    parameter: str,
    range: tuple[float, float],
    start_state: ArrayLike,
    parameters: Rates,
    *,
    direction: int = 1,
    model: str | None = None,
) -> Prediction:
    """The branch of equilibria near ``start_state`` as a parameter moves: ``special_points`` are its folds, Hopf
    and transcritical points."""
    given = _given(
        parameter=parameter,
        range=numbers(range, "range"),
        start_state=numbers(start_state, "start_state"),
        parameters=dict(parameters),
        direction=direction,
        model=model,
    )
    return predict("population_continuation", given)


def hopf(parameters: Rates, parameter: str = "k") -> Prediction:
    """Where predator–prey coexistence appears and starts to cycle, in closed form."""
    return predict("population_hopf", {"parameters": dict(parameters), "parameter": parameter})


def fit(
    t: ArrayLike,
    data: ArrayLike,
    *,
    observed: Sequence[str],
    sigma: ArrayLike,
    initial_guess: Rates,
    initial_state_guess: ArrayLike,
    fixed: Rates | None = None,
    profiles: bool = False,
    network: Mapping[str, Any] | None = None,
    model: str | None = None,
) -> Prediction:
    """Rates and initial state from observed densities (a row a time, NaN where nothing was seen).

    ``sigma`` holds a standard deviation per column, or one per entry of ``data``; the rates of ``initial_guess`` are
    free, those of ``fixed`` known. ``rmt.explain("population_fit")`` lists the results.
    """
    import numpy as np

    rows = np.asarray(data, dtype=float)
    if rows.ndim != 2:
        raise _native.Error(f"data: {rows.ndim}-dimensional; give a row a time, a column a species")
    spread = np.asarray(sigma, dtype=float)
    given = _given(
        t=numbers(t, "t"),
        data=[[None if np.isnan(v) else v for v in row] for row in rows.tolist()],
        observed=list(observed),
        sigma=floats(spread, "sigma", spread.ndim).tolist(),
        free=list(initial_guess),
        initial_guess=dict(initial_guess),
        initial_state_guess=numbers(initial_state_guess, "initial_state_guess"),
        fixed=dict(fixed or {}),
        profiles=profiles or None,
        network=None if network is None else dict(network),
        model=model,
    )
    return predict("population_fit", given)
