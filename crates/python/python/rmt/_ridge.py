"""Ridge regression for rows that may be correlated, as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import (  # type: ignore[import-untyped]
        BaseEstimator,
        MultiOutputMixin,
        RegressorMixin,
    )
    from sklearn.utils.validation import (  # type: ignore[import-untyped]
        _check_sample_weight,
        check_is_fitted,
        validate_data,
    )
except ImportError as error:
    raise ImportError("rmt.CorrGCVRidge needs scikit-learn 1.6 or newer: pip install scikit-learn") from error

from . import _figures, _native
from ._arrays import floats, numbers
from ._kernel import labels


class CorrGCVRidge(MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Ridge regression whose penalty is chosen by an estimate of the out-of-sample error that holds for
    correlated rows.

    Neighbouring rows of a time series resemble each other. Generalised cross-validation and leave-one-out take
    them for independent and promise far too small an error; CorrGCV corrects that from the correlation of
    the rows (Atanasov, Zavatone-Veth and Pehlevan, arXiv:2408.04607). The features are decomposed once for all
    ridges, targets and criteria.

    Parameters
    ----------
    criterion : {"corr_gcv", "whitened", "gcv", "loo", "blocked", "gcv2"}, default="corr_gcv"
        What chooses the ridge. ``"corr_gcv"`` is right when rows and noise share one correlation, ``"whitened"``
        likewise (it differs when the correlation is wrong), ``"gcv"`` and ``"loo"`` when rows are
        independent, ``"blocked"`` leaves out blocks of consecutive rows (or the groups) exactly and without refits,
        ``"gcv2"`` is an upper bound.
    sample_correlation : {"auto", "exponential", "power_law"}, dict, array of shape (n, n) or None, default="auto"
        Correlation of the rows: the family that describes the features best (none if neighbours correlate by
        less than 0.1), a family fitted to the features, a family with its parameter such as
        ``{"kind": "exponential", "length": 5}``, a matrix, or None for independent rows.
    alphas : array-like, optional
        Penalties in scikit-learn's scaling, ‖y − Xw‖² + alpha‖w‖². Zero is allowed: the limit.
    lambdas : array-like, optional
        The same as ridges of the *mean* squared residual: alpha = nλ. Without either, a grid is found and widened
        where the minimum lies at its end.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    standardize : bool, default=False
        Whether the penalty acts on coefficients of features divided by their standard deviation (of all
        rows).
    alpha_per_target : bool, default=False
        A penalty of its own for every target instead of one for all.
    also : sequence of str, default=()
        Further criteria to compute along the ridges, for ``paths_``.
    blocks, gap : int, optional
        Number of blocks of ``"blocked"`` (5 below 100 rows, else 10), and rows left out on either side
        of a block (until the correlation is below 0.1).
    learning_curve_sizes : sequence of int, optional
        Numbers of rows for ``learning_curve_``; by default n and 2n for a single target without weights.
    approximate : bool, default=False
        Take the spectrum of power laws above 2000 rows from the FFT.

    Attributes
    ----------
    coef_ : array of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or array of shape (n_targets,)
    alpha_, lambda_ : float, or array of shape (n_targets,) with ``alpha_per_target``
        The chosen penalty in either scaling.
    alphas_, lambdas_ : arrays of shape (n_alphas,)
        The penalties tried.
    paths_ : dict of arrays of shape (n_alphas,) or (n_alphas, n_targets)
        Mean squared errors by criterion along them; ``"train"`` is the training error.
    df_ : array of shape (n_alphas,)
        Degrees of freedom, without the intercept.
    predicted_error_ : float or array of shape (n_targets,)
        The criterion at the chosen penalty: the mean squared error to expect on new rows.
    band_ : array of shape (2,) or (n_targets, 2), or None
        95 % band around it. None with `approximate` spectra or with different penalties for the targets.
    kernel_ : dict
        The correlation of the rows; a fitted one with the ``standard_error`` of its parameter.
    learning_curve_ : dict of arrays, list of dicts for several targets, or None
        ``rows``, ``error`` with the best penalty, ``low``, ``high``, ``lambda`` and whether it is ``supported`` by the data.
    diagnosis_ : dict or None
        Whether the residuals look as CorrGCV assumes (one target, correlated rows, at most 2000 of them).
    notes_ : list of str
    n_features_in_, feature_names_in_

    Notes
    -----
    Sample weights are inverse noise variances, not numbers of repetitions: the criteria count rows. Rows of
    weight 0 are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from rmt import CorrGCVRidge
    >>> rng = np.random.default_rng(0)
    >>> walks = np.cumsum(rng.normal(size=(80, 4)), axis=0)
    >>> X, y = walks[:, :3], walks @ [1.0, -2.0, 0.5, 1.0]
    >>> model = CorrGCVRidge(sample_correlation="exponential").fit(X, y)
    >>> model.coef_.shape
    (3,)
    """

    def __init__(
        self,
        criterion: str = "corr_gcv",
        *,
        sample_correlation: str | Mapping[str, Any] | ArrayLike | None = "auto",
        alphas: ArrayLike | None = None,
        lambdas: ArrayLike | None = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        alpha_per_target: bool = False,
        also: Sequence[str] = (),
        blocks: int | None = None,
        gap: int | None = None,
        learning_curve_sizes: Sequence[int] | None = None,
        approximate: bool = False,
    ) -> None:
        self.criterion = criterion
        self.sample_correlation = sample_correlation
        self.alphas = alphas
        self.lambdas = lambdas
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.alpha_per_target = alpha_per_target
        self.also = also
        self.blocks = blocks
        self.gap = gap
        self.learning_curve_sizes = learning_curve_sizes
        self.approximate = approximate

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: Any = None,
        times: ArrayLike | None = None,
    ) -> CorrGCVRidge:
        """Fits all penalties and chooses one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            In the order of time.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional
            Inverse noise variances.
        groups : array-like of shape (n_samples,), optional
            Labels (run, subject): rows of different groups are independent, and ``"blocked"`` leaves one group out.
        times : array-like of shape (n_samples,), optional
            Time stamps, increasing within each group, where rows are not evenly spaced: also where rows
            between them were taken out, as cross-validation with shuffled folds does.
        """
        checked: tuple[Any, Any] = validate_data(
            self, X, y, dtype=np.float64, order="C", multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        x, target = checked[0], np.asarray(checked[1], dtype=np.float64)
        single = target.ndim == 1
        n = x.shape[0]
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, x, dtype=np.float64)
            if (weights < 0).any():
                raise _native.Error("sample_weight: weights are ≥ 0")
        groups = _column(groups, "groups", n)
        times = None if times is None else _column(floats(times, "times", 1), "times", n)
        correlation = self._correlation(n)
        if weights is not None and (weights == 0).any():
            kept = weights > 0
            if not kept.any():
                raise _native.Error("sample_weight: all weights are 0")
            if isinstance(correlation, dict) and correlation.get("kind") in ("dense", "diagonal", "blocks"):
                raise _native.Error(
                    f"sample_weight: rows of weight 0 have no place in a {correlation['kind']} correlation; leave "
                    "them out of both"
                )
            if times is None and correlation is not None:
                # The rows that are left keep their distances.
                times = np.arange(n, dtype=np.float64)
            x, target, weights = x[kept], target[kept], weights[kept]
            groups = None if groups is None else groups[kept]
            times = None if times is None else np.ascontiguousarray(times[kept])
            n = x.shape[0]
        total = float(n if weights is None else weights.sum())
        if self.alphas is not None and self.lambdas is not None:
            raise _native.Error("alphas and lambdas are one thing in two scalings: give one")
        lambdas = None
        if self.alphas is not None:
            lambdas = [a / total for a in numbers(self.alphas, "alphas")]
        elif self.lambdas is not None:
            lambdas = numbers(self.lambdas, "lambdas")
        if lambdas == []:
            raise _native.Error("alphas: none given")
        found = _native.ridge(
            np.ascontiguousarray(x),
            np.ascontiguousarray(target.reshape(n, -1)),
            criterion=self.criterion,
            beside=list(self.also),
            sample_correlation=correlation,
            groups=labels(groups),
            times=times,
            lambdas=lambdas,
            weights=None if weights is None else weights.tolist(),
            intercept=bool(self.fit_intercept),
            standardize=bool(self.standardize),
            own_lambda=bool(self.alpha_per_target),
            blocks=self.blocks,
            gap=self.gap,
            learning_sizes=None
            if self.learning_curve_sizes is None
            else [int(s) for s in self.learning_curve_sizes],
            approximate=bool(self.approximate),
        )
        self._read(found, single, total)
        return self

    def _correlation(self, n: int) -> Any:
        stated = self.sample_correlation
        if stated is None or isinstance(stated, str):
            return stated
        if isinstance(stated, Mapping):
            return dict(stated)
        matrix = floats(stated, "sample_correlation", 2)
        if matrix.shape != (n, n):
            raise _native.Error(
                f"sample_correlation: a {matrix.shape[0]}×{matrix.shape[1]} matrix for {n} rows; where rows are "
                "split (cross-validation), state a family and pass times= to fit"
            )
        return {"kind": "dense", "values": matrix}

    def _read(self, found: dict[str, Any], single: bool, total: float) -> None:
        def flat(values: Any) -> Any:
            return values[..., 0] if single else values

        def scalar(values: NDArray[np.float64]) -> Any:
            return float(values[0]) if single or not self.alpha_per_target else values

        self.coef_ = found["coefficients"][0] if single else found["coefficients"]
        self.intercept_ = float(found["intercept"][0]) if single else found["intercept"]
        self.lambdas_ = found["lambdas"]
        self.alphas_ = found["lambdas"] * total
        self.lambda_ = scalar(found["lambda"])
        self.alpha_ = scalar(found["lambda"] * total)
        self.paths_ = {name: flat(values) for name, values in found["paths"].items()}
        self.df_ = found["df1"]
        errors = found["predicted_error"]
        self.predicted_error_ = float(errors[0]) if single else errors
        band = found["band"]
        self.band_ = None if band is None else (band[0] if single else band)
        self.kernel_ = found["kernel"]
        curves = found["learning_curve"]
        if curves is not None:
            for curve in curves:
                curve["rows"] = np.asarray(curve["rows"])
                curve["supported"] = np.asarray(curve["supported"])
            curves = curves[0] if single else curves
        self.learning_curve_ = curves
        self.diagnosis_ = found["diagnosis"]
        self.notes_ = list(found["notes"])
        if found["blocks"] is not None:
            self.notes_.append(f"blocked: {found['blocks']}")
        relies = self.criterion in ("corr_gcv", "whitened", "gcv2")
        if relies and self.diagnosis_ is not None and not self.diagnosis_["supports_corr_gcv"]:
            warnings.warn(
                "the residuals are not correlated as rows and noise of one correlation would make them: do not "
                'trust CorrGCV here, use criterion="blocked" (diagnosis_ has the figures)',
                UserWarning,
                stacklevel=3,
            )

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predictions, of shape (n_samples,) or (n_samples, n_targets)."""
        check_is_fitted(self)
        x: Any = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        predicted: NDArray[np.float64] = x @ self.coef_.T + self.intercept_
        return predicted

    def plot(self, ax: Any = None, target: int = 0) -> Any:
        """Every computed criterion along the penalties, the choice marked (matplotlib)."""
        check_is_fitted(self)
        ax = _figures.axes(ax)
        positive = self.lambdas_ > 0
        for (name, values), colour in zip(self.paths_.items(), _figures.COLOURS):
            y = values if values.ndim == 1 else values[:, target]
            ax.plot(self.lambdas_[positive], y[positive], color=colour, label=name)
        chosen = float(np.atleast_1d(self.lambda_)[target if np.size(self.lambda_) > 1 else 0])
        if chosen > 0:
            ax.axvline(chosen, color="0.6", lw=1, ls="--")
        ax.set_xscale("log")
        ax.set_xlabel("λ")
        ax.set_ylabel("mean squared error")
        ax.legend(frameon=False)
        return ax


def _column(values: Any, name: str, n: int) -> Any:
    if values is None:
        return None
    found = np.asarray(values)
    if found.shape != (n,):
        raise _native.Error(f"{name}: shape {found.shape} where one entry a row, ({n},), is needed")
    return found
