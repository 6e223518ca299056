"""Expressions: values, curves, densities, programs, against closed forms and the command line."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from conftest import same

import rmt

EXPRESSION = "tr(inv(Z'*Z/n + lam*I(p)))"
STATED = dict(dims={"n": 300, "p": 200}, random={"Z": ("n", "p")}, parameters={"lam": 0.1})


def exact(lam, c=200 / 300):
    # Stieltjes transform of Marchenko–Pastur at −λ.
    b = lam + 1 - c
    return (-b + np.sqrt(b * b + 4 * c * lam)) / (2 * c * lam)


def test_the_value_is_the_closed_form_and_certified():
    limit = rmt.fpt(EXPRESSION, **STATED)
    assert limit.value == pytest.approx(exact(0.1), rel=1e-13)
    assert limit["rho"] < 1 and limit["residual"] < 1e-12
    assert pickle.loads(pickle.dumps(limit)).value == limit.value
    for form in ("n,p", "n×p:1", {"rows": "n", "cols": "p", "variance": 1}, ("n", "p", 1)):
        assert rmt.fpt(EXPRESSION, **{**STATED, "random": {"Z": form}}).value == limit.value


def test_curves_carry_exact_derivatives():
    limit = rmt.fpt(EXPRESSION, **STATED)
    lam = np.geomspace(1e-3, 10, 25)
    curve = limit.curve(lam=lam)
    np.testing.assert_allclose(curve["value"], exact(lam), rtol=1e-11)
    h = 1e-6
    slope = (exact(lam * (1 + h)) - exact(lam * (1 - h))) / (2 * h * lam)
    np.testing.assert_allclose(curve["derivative"], slope, rtol=1e-6)
    assert limit.derivative("lam") == pytest.approx((exact(0.1 + 1e-6) - exact(0.1 - 1e-6)) / 2e-6, rel=1e-6)
    sizes = limit.curve(n=[250, 300])
    assert sizes["value"][1] == pytest.approx(limit.value, rel=1e-14)
    assert list(curve.to_frame().columns[:2]) == ["lam", "value"]
    assert curve.plot().get_xlabel() == "lam"
    assert pickle.loads(pickle.dumps(curve)).key == "lam"


def test_complex_parameters_and_densities():
    stated = {**STATED, "parameters": {"z": 1.0 + 0.5j}}
    limit = rmt.fpt("tr(inv(Z'*Z/n - z*I(p)))", **stated)
    c, z, m = 200 / 300, 1.0 + 0.5j, limit.value
    assert abs(c * z * m**2 + (z + c - 1) * m + 1) < 1e-12
    x = np.array([0.5, 1.0, 2.0])
    low, high = (1 - c**0.5) ** 2, (1 + c**0.5) ** 2
    found = limit.density(z=x)
    np.testing.assert_allclose(
        found["density"], np.sqrt((high - x) * (x - low)) / (2 * np.pi * c * x), rtol=1e-4
    )


def test_the_gallery_is_the_command_lines_to_the_last_bit(command_line):
    assert len(rmt.gallery()) >= 5
    for name in list(rmt.gallery())[:6]:
        limit = rmt.fpt(gallery=name)
        (line,) = command_line("fpt", "--gallery", name, "--json")
        assert same(dict(limit), line), name
    (line,) = command_line("fpt", "--gallery", "ridge_bias", "--over", "lam=0.01,0.1,1", "--json")
    curve = rmt.fpt(gallery="ridge_bias").curve(lam=[0.01, 0.1, 1.0])
    assert same(curve["value"], [p["value"] for p in line])
    assert same(curve["derivative"], [p["derivative"] for p in line])


def test_simulation_formulas_and_programs():
    limit = rmt.fpt(EXPRESSION, **{**STATED, "dims": {"n": 60, "p": 40}})
    check = limit.check(20, seed=0)
    assert check["verdict"] in ("agrees", "converging")
    assert check["double"]["sizes"] == 2
    assert limit._repr_latex_().startswith("$$\\begin{aligned}") and "align*" not in limit._repr_latex_()
    assert "rust" not in limit.text() and "fn " in limit.rust() and limit.explain()
    space: dict[str, Any] = {}
    exec(limit.python(), space)
    assert space["limit"](n=60, p=40, lam=0.1) == pytest.approx(limit.value, rel=1e-10)
    assert space["limit"](lam=0.2) == pytest.approx(exact(0.2), rel=1e-10)


def test_errors_show_the_place():
    with pytest.raises(rmt.Error, match=r"\^"):
        rmt.fpt("tr(inv(Z'*Y))", **STATED)
    with pytest.raises(rmt.Error, match="expression"):
        rmt.fpt(dims={"n": 3})
    with pytest.raises(rmt.Error, match="no example"):
        rmt.fpt(gallery="nothing")
    with pytest.raises(rmt.Error, match="random.Z"):
        rmt.fpt(EXPRESSION, **{**STATED, "random": {"Z": ("n",)}})
    limit = rmt.fpt(EXPRESSION, **STATED)
    with pytest.raises(rmt.Error, match="one parameter"):
        limit.curve()
    with pytest.raises(rmt.Error, match="no parameter"):
        limit.curve(mu=[1.0])
    with pytest.raises(rmt.Error, match="at least 2"):
        limit.check(1)
    with pytest.raises(rmt.Error, match="finite"):
        limit.curve(lam=[np.nan])
