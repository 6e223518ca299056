"""CorrGCVRidge as a scikit-learn estimator, against RidgeCV and against the command line."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from conftest import ROOT

import rmt

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

WEIGHTS = (
    "weights are inverse noise variances, not repetitions: a repeated row is a second row whose error is the "
    "same, which every criterion counts as information, so that the chosen penalty differs"
)
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
}


@parametrize_with_checks(
    [
        rmt.CorrGCVRidge(),
        rmt.CorrGCVRidge("loo", alphas=[0.1, 1.0, 10.0]),
        rmt.CorrGCVRidge("gcv", sample_correlation=None, alpha_per_target=True),
        rmt.CorrGCVRidge("blocked", blocks=3, gap=0),
        rmt.CorrGCVRidge("whitened", sample_correlation={"kind": "exponential", "length": 2.0}),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL,
)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        # Random rows may well contradict a stated correlation.
        warnings.simplefilter("ignore", UserWarning)
        check(estimator)


def series(n=120, p=8, q=1, length=4.0, seed=0):
    """Rows and noise correlated as exp(−t/length)."""
    rng = np.random.default_rng(seed)
    r = np.exp(-1 / length)

    def correlated(width):
        z = rng.normal(size=(n, width))
        out = np.empty_like(z)
        out[0] = z[0]
        for t in range(1, n):
            out[t] = r * out[t - 1] + np.sqrt(1 - r * r) * z[t]
        return out

    X = correlated(p)
    y = X @ rng.normal(size=(p, q)) + 0.7 * correlated(q) + 3.0
    return X, (y[:, 0] if q == 1 else y)


ALPHAS = np.geomspace(1e-3, 1e3, 13)


@pytest.mark.parametrize("shape", [(60, 20), (20, 60), (40, 40)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_parity_with_ridgecv(shape, fit_intercept):
    rng = np.random.default_rng(1)
    X = rng.normal(size=shape)
    Y = X @ rng.normal(size=(shape[1], 3)) + rng.normal(size=(shape[0], 3)) + 5.0
    for y, own in [(Y[:, 0], False), (Y, True)]:
        theirs = RidgeCV(ALPHAS, fit_intercept=fit_intercept, alpha_per_target=own, store_cv_results=True).fit(X, y)
        ours = rmt.CorrGCVRidge(
            "loo", alphas=ALPHAS, fit_intercept=fit_intercept, alpha_per_target=own, sample_correlation=None
        ).fit(X, y)
        np.testing.assert_allclose(ours.alpha_, theirs.alpha_, rtol=1e-12)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8, atol=1e-8)
        squares = np.moveaxis(theirs.cv_results_.mean(axis=0), -1, 0)
        np.testing.assert_allclose(ours.paths_["loo"], squares, rtol=1e-7)
        np.testing.assert_allclose(ours.predicted_error_, -theirs.best_score_, rtol=1e-7)


def test_alpha_is_n_lambda_also_with_weights():
    X, y = series()
    weights = np.random.default_rng(2).uniform(0.5, 3.0, size=len(y))
    for sample_weight in (None, weights):
        total = len(y) if sample_weight is None else sample_weight.sum()
        ours = rmt.CorrGCVRidge(alphas=[2.5]).fit(X, y, sample_weight)
        theirs = Ridge(alpha=2.5).fit(X, y, sample_weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10)
        assert ours.lambda_ == pytest.approx(2.5 / total) and ours.alpha_ == pytest.approx(2.5)
        again = rmt.CorrGCVRidge(lambdas=[2.5 / total]).fit(X, y, sample_weight)
        np.testing.assert_allclose(again.coef_, ours.coef_, rtol=1e-12)


def test_rows_of_weight_zero_are_left_out():
    X, y = series()
    weights = np.ones(len(y))
    weights[[3, 50, 51]] = 0.0
    kept = weights > 0
    times = np.arange(len(y), dtype=float)
    kernel = {"kind": "exponential", "length": 4.0}
    ours = rmt.CorrGCVRidge(sample_correlation=kernel).fit(X, y, weights)
    without = rmt.CorrGCVRidge(sample_correlation=kernel).fit(X[kept], y[kept], np.ones(kept.sum()), times=times[kept])
    np.testing.assert_array_equal(ours.coef_, without.coef_)
    with pytest.raises(ValueError, match="non-zero|all weights are 0"):
        rmt.CorrGCVRidge().fit(X, y, np.zeros(len(y)))
    with pytest.raises(rmt.Error, match="≥ 0"):
        rmt.CorrGCVRidge().fit(X, y, -weights)


def test_zero_penalty_is_the_limit():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(50, 10)), rng.normal(size=50)
    ours = rmt.CorrGCVRidge("loo", alphas=[0.0, 1e-3], sample_correlation=None).fit(X, y)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(50)]), y, rcond=None)[0]
    zero = rmt.CorrGCVRidge("gcv", lambdas=[0.0], sample_correlation=None).fit(X, y)
    np.testing.assert_allclose(zero.coef_, exact[:-1], rtol=1e-9)
    assert np.isfinite(ours.paths_["loo"]).all()
    # More features than rows: the minimum-norm interpolator, with a finite leave-one-out error.
    X, y = rng.normal(size=(20, 60)), rng.normal(size=20)
    wide = rmt.CorrGCVRidge("loo", alphas=[0.0], sample_correlation=None, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(wide.coef_, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-8, atol=1e-11)
    left_out = [
        (y[i] - X[i] @ np.linalg.lstsq(np.delete(X, i, 0), np.delete(y, i), rcond=None)[0]) ** 2 for i in range(20)
    ]
    np.testing.assert_allclose(wide.predicted_error_, np.mean(left_out), rtol=1e-8)
    # Where scikit-learn reports an error of infinity or hundreds at a tiny penalty.
    X, y = rng.normal(size=(80, 50)), rng.normal(size=80)
    tiny = rmt.CorrGCVRidge("loo", alphas=[1e-14], sample_correlation=None).fit(X, y)
    h = np.column_stack([X, np.ones(80)])
    hat = h @ np.linalg.pinv(h)
    np.testing.assert_allclose(
        tiny.predicted_error_, np.mean(((y - hat @ y) / (1 - np.diag(hat))) ** 2), rtol=1e-8
    )


def test_blocks_and_groups_are_refits():
    X, y = series(n=60)
    ours = rmt.CorrGCVRidge("blocked", alphas=[1.0, 5.0], blocks=4, gap=2, sample_correlation=None).fit(X, y)
    # The penalty stays nλ when rows leave.
    for index, alpha in enumerate(ours.alphas_):
        total = 0.0
        for k in range(4):
            a, b = k * 15, (k + 1) * 15
            out = np.arange(max(0, a - 2), min(60, b + 2))
            fit = Ridge(alpha=alpha).fit(np.delete(X, out, 0), np.delete(y, out))
            total += ((y[a:b] - fit.predict(X[a:b])) ** 2).sum()
        assert ours.paths_["blocked"][index] == pytest.approx(total / 60, rel=1e-9)
    groups = np.repeat(["a", "b", "c"], 20)
    grouped = rmt.CorrGCVRidge("blocked", alphas=[1.0], sample_correlation=None).fit(X, y, groups=groups)
    total = 0.0
    for g in "abc":
        inside = groups == g
        fit = Ridge(alpha=1.0).fit(X[~inside], y[~inside])
        total += ((y[inside] - fit.predict(X[inside])) ** 2).sum()
    assert grouped.predicted_error_ == pytest.approx(total / 60, rel=1e-9)
    assert "leave one of 3 groups out" in " ".join(grouped.notes_)


def test_correlations_stated_in_every_way():
    X, y = series()
    n = len(y)
    kernel = {"kind": "exponential", "length": 4.0}
    stated = rmt.CorrGCVRidge(sample_correlation=kernel, also=["gcv", "whitened", "loo", "blocked", "gcv2"]).fit(X, y)
    matrix = np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / 4.0)
    lambdas = stated.lambdas_
    dense = rmt.CorrGCVRidge(sample_correlation=matrix, lambdas=lambdas).fit(X, y)
    np.testing.assert_allclose(dense.paths_["corr_gcv"], stated.paths_["corr_gcv"], rtol=1e-8)
    assert dense.kernel_ == {"kind": "dense"}
    timed = rmt.CorrGCVRidge(sample_correlation=kernel, lambdas=lambdas).fit(X, y, times=np.arange(n))
    np.testing.assert_allclose(timed.paths_["corr_gcv"], stated.paths_["corr_gcv"], rtol=1e-10)
    assert set(stated.paths_) == {"train", "gcv", "gcv2", "corr_gcv", "whitened", "loo", "blocked"}
    # Correlated rows: GCV is too optimistic.
    at = int(np.argmin(stated.paths_["corr_gcv"]))
    assert stated.paths_["gcv"][at] < stated.paths_["corr_gcv"][at]
    fitted = rmt.CorrGCVRidge(sample_correlation="exponential").fit(X, y)
    best = rmt.fit_kernel(X)["exponential"]
    assert fitted.kernel_["length"] == best["length"]
    assert fitted.kernel_["standard_error"] == best["standard_error"]
    assert abs(fitted.kernel_["length"] - 4.0) < 4 * fitted.kernel_["standard_error"]
    # Groups cut the correlation: two series of half the rows.
    halves = np.repeat([0, 1], n // 2)
    cut = rmt.CorrGCVRidge(sample_correlation=kernel, lambdas=lambdas).fit(X, y, groups=halves)
    block = matrix * np.equal.outer(halves, halves)
    cut_dense = rmt.CorrGCVRidge(sample_correlation=block, lambdas=lambdas).fit(X, y)
    np.testing.assert_allclose(cut.paths_["corr_gcv"], cut_dense.paths_["corr_gcv"], rtol=1e-8)
    independent = np.random.default_rng(0).normal(size=(100, 5))
    assert rmt.CorrGCVRidge().fit(independent, independent[:, 0] + 1).kernel_ == {"kind": "identity"}


def test_many_targets_share_or_own_a_penalty():
    X, Y = series(q=4)
    shared = rmt.CorrGCVRidge(lambdas=np.geomspace(1e-3, 10, 20)).fit(X, Y)
    assert shared.coef_.shape == (4, 8) and isinstance(shared.lambda_, float)
    assert shared.band_.shape == (4, 2) and shared.predicted_error_.shape == (4,)
    own = rmt.CorrGCVRidge(lambdas=np.geomspace(1e-3, 10, 20), alpha_per_target=True).fit(X, Y)
    assert own.lambda_.shape == (4,)
    for t in range(4):
        one = rmt.CorrGCVRidge(lambdas=np.geomspace(1e-3, 10, 20)).fit(X, Y[:, t])
        assert own.lambda_[t] == one.lambda_
        np.testing.assert_allclose(own.coef_[t], one.coef_, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(own.paths_["corr_gcv"][:, t], one.paths_["corr_gcv"], rtol=1e-11)
    column = rmt.CorrGCVRidge(alphas=[1.0]).fit(X, Y[:, :1])
    assert column.coef_.shape == (1, 8) and column.predict(X).shape == (120, 1)
    curves = rmt.CorrGCVRidge(learning_curve_sizes=[100, 300]).fit(X, Y).learning_curve_
    assert len(curves) == 4 and curves[0]["rows"].tolist() == [100, 300]


def test_attributes_of_a_single_target():
    X, y = series()
    model = rmt.CorrGCVRidge().fit(X, y)
    low, high = model.band_
    assert low < model.predicted_error_ < high
    assert model.learning_curve_["rows"].tolist() == [120, 240]
    assert model.learning_curve_["error"][1] <= model.learning_curve_["error"][0]
    assert set(model.diagnosis_) == {"neighbours", "whitened", "second_half", "supports_corr_gcv"}
    assert model.df_.shape == model.lambdas_.shape == model.paths_["train"].shape
    assert model.predicted_error_ == model.paths_["corr_gcv"][np.argmin(model.paths_["corr_gcv"])]
    pytest.importorskip("matplotlib")
    assert model.plot().get_xlabel() == "λ"


def test_residuals_that_contradict_the_assumption_are_reported():
    X, _ = series(n=400)
    # White noise on correlated rows.
    y = X[:, 0] + np.random.default_rng(9).normal(size=400)
    with pytest.warns(UserWarning, match="do not trust CorrGCV"):
        model = rmt.CorrGCVRidge(sample_correlation={"kind": "exponential", "length": 4.0}).fit(X, y)
    assert not model.diagnosis_["supports_corr_gcv"]


def test_pipelines_searches_clones_and_pickles():
    X, y = series()
    pipe = make_pipeline(StandardScaler(), rmt.CorrGCVRidge(alphas=ALPHAS)).fit(X, y)
    inside = rmt.CorrGCVRidge(alphas=ALPHAS, standardize=True).fit(X, y)
    np.testing.assert_allclose(pipe.predict(X), inside.predict(X), rtol=1e-9)
    search = GridSearchCV(
        rmt.CorrGCVRidge(sample_correlation="exponential"),
        {"criterion": ["gcv", "corr_gcv", "loo", "blocked"]},
        cv=TimeSeriesSplit(3),
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        search.fit(X, y, times=np.arange(len(y)))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    model = rmt.CorrGCVRidge().fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()


ARRAYS = {
    "strided": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
    "Fortran": np.asfortranarray,
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "list": lambda a: a.tolist(),
    "reversed view": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda a: a.astype(">f8"),
}


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_of_every_kind_give_the_same_bits(make):
    X, Y = series(q=2)
    expected = rmt.CorrGCVRidge().fit(X, Y)
    found = rmt.CorrGCVRidge().fit(make(X), make(Y))
    np.testing.assert_array_equal(found.coef_, expected.coef_)
    np.testing.assert_array_equal(found.predict(make(X)), expected.predict(X))


def test_float32_and_frames():
    X, y = series()
    X, y = X.astype(np.float32), y.astype(np.float32)
    wide = rmt.CorrGCVRidge().fit(X.astype(np.float64), y.astype(np.float64))
    np.testing.assert_array_equal(rmt.CorrGCVRidge().fit(X, y).coef_, wide.coef_)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.astype(np.float64), columns=list("abcdefgh"))
    model = rmt.CorrGCVRidge().fit(frame, pandas.Series(y))
    np.testing.assert_array_equal(model.coef_, wide.coef_)
    assert list(model.feature_names_in_) == list("abcdefgh")


def test_empty_and_bad_inputs_are_value_errors():
    X, y = series()
    n = len(y)
    for make, text in [
        (lambda: rmt.CorrGCVRidge().fit(np.zeros((0, 3)), []), "0 sample"),
        (lambda: rmt.CorrGCVRidge().fit(np.zeros((5, 0)), np.zeros(5)), "0 feature"),
        (lambda: rmt.CorrGCVRidge("best").fit(X, y), "no criterion"),
        (lambda: rmt.CorrGCVRidge(also=["best"]).fit(X, y), "no criterion"),
        (lambda: rmt.CorrGCVRidge(alphas=[1], lambdas=[1]).fit(X, y), "give one"),
        (lambda: rmt.CorrGCVRidge(alphas=[]).fit(X, y), "none given"),
        (lambda: rmt.CorrGCVRidge(alphas=[-1.0]).fit(X, y), "lambdas[0]"),
        (lambda: rmt.CorrGCVRidge(alphas=[np.nan]).fit(X, y), "lambdas[0]"),
        (lambda: rmt.CorrGCVRidge(sample_correlation="gauss").fit(X, y), "no correlation"),
        (lambda: rmt.CorrGCVRidge(sample_correlation={"kind": "exponential"}).fit(X, y), "missing"),
        (lambda: rmt.CorrGCVRidge(sample_correlation={"kind": "exponential", "length": -1}).fit(X, y), "length"),
        (lambda: rmt.CorrGCVRidge(sample_correlation=np.eye(3)).fit(X, y), "3×3 matrix for 120 rows"),
        (lambda: rmt.CorrGCVRidge(sample_correlation=-np.eye(n)).fit(X, y), ""),
        (lambda: rmt.CorrGCVRidge().fit(X, y, groups=[1, 2]), "groups"),
        (lambda: rmt.CorrGCVRidge().fit(X, y, groups=[None, "a"] * 60), "groups"),
        (lambda: rmt.CorrGCVRidge().fit(X, y, times=np.arange(3)), "times"),
        (lambda: rmt.CorrGCVRidge().fit(X, y, times=np.zeros(n)), "time"),
        (lambda: rmt.CorrGCVRidge("blocked", blocks=1).fit(X, y), "folds"),
        (lambda: rmt.CorrGCVRidge(sample_correlation=None).fit(np.ones((10, 2)), np.arange(10)), "constant"),
        (lambda: rmt.CorrGCVRidge(standardize=True).fit(np.c_[X, np.ones(n)], y), "constant"),
        (lambda: rmt.fit_kernel(np.zeros((3, 2))), "rows"),
    ]:
        with pytest.raises(ValueError) as raised:
            make()
        assert text in str(raised.value), (text, str(raised.value))


def test_the_macro_series_is_the_command_lines_to_the_last_bit(command_line):
    table = np.loadtxt(ROOT / "data" / "macro_unemployment.csv", delimiter=",", skiprows=1)
    arguments = ["--target", "unemp", "--standardize", "--criterion", "corr-gcv", "--correlation", "exponential"]
    (line,) = command_line("fit", "data/macro_unemployment.csv", *arguments, "--json")
    (theirs,) = line["targets"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        ours = rmt.CorrGCVRidge(
            standardize=True, sample_correlation="exponential", also=["loo", "whitened", "blocked"]
        ).fit(table[:, :-1], table[:, -1])
    assert ours.lambda_ == theirs["lambda"] and ours.alpha_ == theirs["alpha"]
    assert ours.coef_.tolist() == theirs["coefficients"]
    assert ours.intercept_ == theirs["intercept"]
    assert ours.predicted_error_ == theirs["corr_gcv"] == theirs["promised"]
    assert ours.lambdas_.tolist() == line["path"]["lambdas"] and ours.df_.tolist() == line["path"]["df1"]
    along = theirs["along_path"]
    assert ours.paths_["train"].tolist() == along["train_error"]
    names = {"gcv": "gcv1", "loo": "loo", "corr_gcv": "corr_gcv", "gcv2": "gcv2", "whitened": "whitened_corr_gcv"}
    for name, key in names.items():
        assert ours.paths_[name].tolist() == along[key], name
    assert ours.paths_["blocked"].tolist() == along["cross_validation"]
    assert ours.band_.tolist() == theirs["bands"]["corr_gcv"]
    for name, contrast in line["diagnoses"][0].items():
        assert ours.diagnosis_[name] == contrast
    if not (line["corr_gcv_doubted"] and ours.diagnosis_["supports_corr_gcv"]):
        assert ours.learning_curve_["rows"].tolist() == [p["rows"] for p in line["learning_curve"]]
        assert ours.learning_curve_["error"].tolist() == [p["error"] for p in line["learning_curve"]]
