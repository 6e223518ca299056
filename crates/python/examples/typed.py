"""What a typed program sees: checked with `mypy --strict` and run in the tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import rmt


def learning_curve(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Risk of ridge regression against the number of rows."""
    swept: rmt.Sweep = rmt.sweep("ridge", over={"n": sizes})
    risk: NDArray[np.float64] = swept["risk"]
    return risk


def effective_ridge(lam: float) -> float:
    """κ for a power law seen through 200 random features and 300 rows."""
    spectrum = {"kind": "power_law", "p": 1000, "alpha": 1.2}
    chain = rmt.DeterministicEquivalent(spectrum, [{"width": 200}, {"samples": 300}])
    return float(chain.kappa(lam))


def describe() -> str:
    """A trace, a task, a simulation."""
    limit: rmt.Limit = rmt.fpt(
        "tr(inv(Z'*Z/n + lam*I(p)))",
        dims={"n": 300, "p": 200},
        random={"Z": ("n", "p")},
        parameters={"lam": 0.1},
    )
    measured: rmt.Simulation = rmt.simulate("ridge", draws=2, seed=1)
    prediction: rmt.Prediction = measured.theory
    card: rmt.Card = rmt.explain("ridge")
    return f"{limit.value:.6f} {prediction['risk']:.4f} {measured['risk']:.4f} {card.summary}"


def fit(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ridge regression on rows that may be correlated."""
    model: rmt.CorrGCVRidge = rmt.CorrGCVRidge("corr_gcv", sample_correlation="auto").fit(x, y)
    return model.predict(x)


def main() -> None:
    print(learning_curve(np.array([100, 200, 400])))
    print(effective_ridge(1e-2))
    print(describe())
    walk = np.cumsum(np.random.default_rng(0).normal(size=(60, 3)), axis=0)
    print(fit(walk, walk[:, 0]).shape)
    try:
        rmt.predict("ridge", n=-1)
    except rmt.Error as error:
        print(error.kind, error.key)


if __name__ == "__main__":
    main()
