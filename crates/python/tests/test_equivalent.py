"""Deterministic equivalents against closed forms and against the tasks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rmt

ISO = {"kind": "constant", "p": 200, "value": 1.0}


def marchenko_pastur_kappa(lam, c):
    # λ = κ(1 − c/(1 + κ)), c = p/n.
    b = 1 - c - lam
    return (-b + np.sqrt(b * b + 4 * lam)) / 2


def test_kappa_and_degrees_of_freedom_are_the_closed_form():
    chain = rmt.DeterministicEquivalent(ISO, [{"samples": 400}])
    lam = np.array([[1e-3, 0.1], [1.0, 10.0]])
    kappa = chain.kappa(lam)
    assert kappa.shape == (2, 2)
    np.testing.assert_allclose(kappa, marchenko_pastur_kappa(lam, 0.5), rtol=1e-13)
    np.testing.assert_allclose(chain.df1(lam), 200 / (1 + kappa), rtol=1e-14)
    np.testing.assert_allclose(chain.df2(lam), 200 / (1 + kappa) ** 2, rtol=1e-14)
    assert isinstance(chain.kappa(0.1), float) and chain.kappa(0.1) == kappa[0, 1]
    solved = chain.solve([0.1])
    np.testing.assert_allclose(solved["ridges"][1], [0.1], rtol=1e-14)
    assert solved["ridges"][0][0] == solved["kappa"][0] == kappa[0, 1]


def test_zero_ridge_is_a_limit_on_both_sides_of_the_tie():
    assert rmt.DeterministicEquivalent(ISO, [{"samples": 400}]).kappa(0.0) == 0.0
    # p = 2n: κ(0) = p/n − 1.
    over = rmt.DeterministicEquivalent(ISO, [{"samples": 100}])
    assert over.kappa(0.0) == pytest.approx(1.0, rel=1e-13)
    assert over.kappa_at_zero == pytest.approx(1.0, rel=1e-13)
    assert over.mass_at_zero == 0.5


def test_density_support_and_stieltjes_are_marchenko_pastur():
    c = 0.25
    chain = rmt.DeterministicEquivalent(np.ones(100), [{"samples": 400}])
    low, high = (1 - c**0.5) ** 2, (1 + c**0.5) ** 2
    np.testing.assert_allclose(chain.support, [[low, high]], rtol=1e-12)
    assert chain.mass_at_zero == 0.0
    # Unsorted on purpose.
    x = np.array([2.0, 0.3, 1.0, 3.0, 0.26, 1.5])
    inside = (x > low) & (x < high)
    exact = np.where(inside, np.sqrt(np.maximum((high - x) * (x - low), 0)) / (2 * np.pi * c * x), 0)
    np.testing.assert_allclose(chain.density(x), exact, rtol=1e-9, atol=1e-12)
    z = np.array([1.0 + 0.5j, -0.3 + 0.1j])
    m = chain.stieltjes(z)
    # c z m² + (z + c − 1) m + 1 = 0, Im m > 0.
    np.testing.assert_allclose(c * z * m**2 + (z + c - 1) * m + 1, 0, atol=1e-12)
    assert (m.imag > 0).all()
    np.testing.assert_allclose(
        chain.kappa(np.array([0.1 + 0j])), chain.kappa(np.array([0.1])), rtol=1e-12
    )


def test_chains_agree_with_the_tasks():
    spectrum = {"kind": "power_law", "p": 300, "alpha": 1.3}
    features = rmt.predict(
        "random_features",
        spectrum=spectrum,
        target=spectrum,
        widths=[120],
        n=200,
        lambda_=1e-3,
        noise_variance=0.1,
    )
    chain = rmt.DeterministicEquivalent(spectrum, [{"width": 120}, {"samples": 200}])
    assert chain.df1(1e-3) == pytest.approx(features["df1"], rel=1e-11)
    kernel = {"kind": "exponential", "length": 4.0}
    task = rmt.predict(
        "correlated_ridge",
        spectrum=spectrum,
        target=spectrum,
        n=150,
        lambda_=1e-2,
        noise_variance=0.1,
        sample_correlation=kernel,
    )
    rows = rmt.DeterministicEquivalent(spectrum, [{"samples": 150, "correlation": kernel}])
    assert rows.kappa(1e-2) == pytest.approx(task["kappa"], rel=1e-11)
    assert rows.support.shape[1] == 2


def test_arrays_of_every_kind_and_pickles():
    spectrum = np.arange(1.0, 9.0)
    expected = rmt.DeterministicEquivalent(spectrum.tolist(), [{"samples": 5}]).kappa(0.1)
    frozen = spectrum.copy()
    frozen.setflags(write=False)
    for kind in (spectrum, spectrum.astype(np.float32), np.repeat(spectrum, 3)[::3], frozen, tuple(spectrum)):
        chain = rmt.DeterministicEquivalent(kind, [{"samples": 5}])
        assert chain.kappa(0.1) == expected
        assert pickle.loads(pickle.dumps(chain)).kappa(0.1) == expected
    lam = np.linspace(0.1, 1, 12)
    chain = rmt.DeterministicEquivalent(spectrum, [{"samples": 5}])
    assert chain.kappa(np.array([])).shape == (0,)
    np.testing.assert_array_equal(chain.kappa(lam)[::2], chain.kappa(lam)[::2])
    np.testing.assert_allclose(chain.kappa(lam[::2]), chain.kappa(lam)[::2], rtol=1e-13)
    fortran = np.asfortranarray(lam.reshape(3, 4))
    np.testing.assert_array_equal(chain.kappa(fortran), chain.kappa(lam).reshape(3, 4))


def test_bad_stages_are_named():
    for stages, text in [
        ([{"sample": 5}], "did you mean `samples`"),
        ([{"samples": 0}], "stages[0]"),
        ([{"width": 3}, {"samples": 5, "width": 2}], "stages[1]"),
        ([{"activation": {"gain": 0}}], "stages[0].activation"),
        ([{"samples": 10, "correlation": {"kind": "exponential", "length": -1}}], "length"),
        ([3], "stages[0]"),
    ]:
        with pytest.raises(ValueError) as raised:
            rmt.DeterministicEquivalent(ISO, stages)
        assert text in str(raised.value), (stages, str(raised.value))
    for spectrum in ([], [0.0, 0.0], [-1.0], [[1.0]], [np.nan], ["a"]):
        with pytest.raises(ValueError, match="spectrum"):
            rmt.DeterministicEquivalent(spectrum, [])
    chain = rmt.DeterministicEquivalent(ISO, [{"width": 10}, {"samples": 20}])
    with pytest.raises(rmt.Error, match="only stage"):
        chain.support
    with pytest.raises(rmt.Error, match="lambda"):
        chain.kappa(-1.0)
    with pytest.raises(rmt.Error, match="density_at"):
        chain.density(-1.0)
