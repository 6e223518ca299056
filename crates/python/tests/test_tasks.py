"""Predictions, sweeps and simulations against the command line; inputs of every kind; errors."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from conftest import ROOT, same

import rmt

REFERENCE = sorted((ROOT / "reference").glob("*.json"))
SMALL = dict(
    spectrum={"kind": "power_law", "p": 60, "alpha": 1.2},
    target={"kind": "constant", "p": 60, "value": 1.0},
    n=40,
    lambda_=0.01,
    noise_variance=0.1,
)
SMALL_WITHOUT_N = {k: v for k, v in SMALL.items() if k != "n"}


@pytest.mark.parametrize("file", REFERENCE, ids=lambda f: f.stem)
def test_every_reference_case_is_the_command_lines_to_the_last_bit(file, command_line):
    lines = command_line("eval", str(file))
    cases = json.loads(file.read_text())["cases"]
    assert len(lines) == len(cases) > 0
    for case, line in zip(cases, lines):
        if "error" in line:
            with pytest.raises(rmt.Error) as raised:
                rmt.predict(case["task"], case["inputs"])
            assert raised.value.kind == line["error"]["kind"]
            assert str(raised.value) == line["error"]["message"]
            continue
        found = rmt.predict(case["task"], case["inputs"])
        theirs = dict(line["values"])
        assert found.notes == theirs.pop("notes", [])
        assert list(found) == list(theirs)
        for name in found:
            assert same(found[name], theirs[name]), (case["name"], name)


def test_a_simulation_is_the_command_lines_to_the_last_bit(command_line):
    (line,) = command_line("predict", "ridge", "--simulate", "4", "--seed", "3", "--json")
    found = rmt.simulate("ridge", draws=4, seed=3)
    compared = 0
    for name, theirs in line["simulation"].items():
        if "[" in name or "." in name:
            continue
        assert found[name] == theirs["mean"], name
        assert found.standard_error[name] == theirs["standard_error"], name
        if theirs["z"] is not None:
            assert found.z[name] == theirs["z"], name
        compared += 1
    assert compared >= 5
    assert found.draws["risk"].shape == (4,)


def test_a_sweep_is_the_command_lines_to_the_last_bit(command_line):
    (line,) = command_line(
        "predict", "ridge", "--over", "n=41.5,60,80.2", "--over", "lambda=0.01,0.1", "--simulate", "2", "--json"
    )
    found = rmt.sweep("ridge", over={"n": [41.5, 60, 80.2], "lambda": [0.01, 0.1]}, simulate=2)
    assert found.shape == (3, 2)
    # Rounded to whole numbers as there, so that the draws are possible.
    assert found.axes["n"].tolist() == [42.0, 60.0, 80.0]
    for ours, theirs in zip(found["risk"].reshape(-1), line["points"]):
        assert ours == theirs["values"]["risk"]
    for ours, theirs in zip(found.mean("risk").reshape(-1), line["points"]):
        assert ours == theirs["simulation"]["risk"]["mean"]
    for ours, theirs in zip(found.standard_error("risk").reshape(-1), line["points"]):
        assert ours == theirs["simulation"]["risk"]["standard_error"]


def test_every_task_evaluates_its_example_and_explains_itself():
    assert len(rmt.models()) >= 25
    for name, card in rmt.models().items():
        if name != "population_fit":  # seconds
            assert len(rmt.predict(name)) > 0, name
        assert "\\begin{aligned}" in card._repr_latex_()
        assert card.summary in card._repr_markdown_() and card.summary in str(card)
        assert card.observables and card.inputs and card.bibtex.startswith("@")
    with pytest.raises(ValueError, match='did you mean "ridge"'):
        rmt.explain("rigde")


def test_changing_an_example_does_not_change_the_next():
    rmt.example("ridge")["n"] = -1
    assert rmt.example("ridge")["n"] > 0


VECTORS = {
    "list": lambda v: v.tolist(),
    "array": lambda v: v,
    "float32": lambda v: v.astype(np.float32),
    "strided": lambda v: np.repeat(v, 2)[::2],
    "reversed twice": lambda v: v[::-1].copy()[::-1],
    "read-only": lambda v: _frozen(v.copy()),
    "tuple": tuple,
    "integers": lambda v: v.astype(int),
    "column of a Fortran matrix": lambda v: np.asfortranarray(np.stack([v, v], axis=1))[:, 0],
}


def _frozen(v):
    v.setflags(write=False)
    return v


@pytest.mark.parametrize("make", VECTORS.values(), ids=VECTORS.keys())
def test_mode_vectors_are_any_array_like(make):
    # Powers of two and whole numbers: the same in float32 and as integers.
    spectrum = np.array([8.0, 4.0, 2.0, 1.0])
    expected = rmt.predict(
        "ridge",
        {
            "spectrum": {"kind": "explicit", "values": [8.0, 4.0, 2.0, 1.0]},
            "target": {"kind": "constant", "p": 4, "value": 1.0},
            "n": 3,
            "lambda": 0.01,
            "noise_variance": 0.1,
        },
    )
    found = rmt.predict(
        "ridge", spectrum=make(spectrum), target=make(np.ones(4)), n=3, lambda_=0.01, noise_variance=0.1
    )
    assert found["risk"] == expected["risk"] and found["kappa"] == expected["kappa"]


def test_bad_inputs_are_value_errors_with_the_librarys_text():
    bad = [
        ({"n": -3}, "n: "),
        ({"noise_variance": float("nan")}, "noise_variance: NaN is not a finite"),
        ({"spectrum": {"kind": "power_law", "p": 60, "alpha": "x"}}, "spectrum"),
        ({"spectrum": []}, "spectrum"),
        ({"spectrum": np.array([])}, "spectrum"),
        ({"lambdo": 1}, "did you mean `lambda`"),
        ({"n": 2**80}, "n: "),
        ({"n": object()}, "n: cannot read a object"),
        ({"spectrum": {1: 2}}, "is not text"),
    ]
    for change, text in bad:
        with pytest.raises(ValueError) as raised:
            rmt.predict("ridge", **{**SMALL, **change})
        assert text in str(raised.value), (change, str(raised.value))
        assert isinstance(raised.value, rmt.Error) and raised.value.kind
    with pytest.raises(rmt.Error, match="given twice"):
        rmt.predict("ridge", {"n": 1}, n=2)
    with pytest.raises(rmt.Error, match="dictionary"):
        rmt.predict("ridge", 3)
    with pytest.raises(rmt.Error, match="at least 2"):
        rmt.simulate("ridge", draws=1)
    with pytest.raises(rmt.Error, match="at most 10000000"):
        rmt.simulate("ridge", draws=10**12)
    with pytest.raises(rmt.Error, match="no finite-size simulation"):
        rmt.simulate("corr_gcv")
    with pytest.raises(rmt.Error, match="0 inputs"):
        rmt.sweep("ridge", over={})
    with pytest.raises(rmt.Error, match="no values"):
        rmt.sweep("ridge", over={"n": []})
    with pytest.raises(rmt.Error, match="at n=-1"):
        rmt.sweep("ridge", over={"n": [-1, 50]})
    with pytest.raises(rmt.Error, match="finite"):
        rmt.sweep("ridge", over={"lambda": [np.nan]})
    with pytest.raises(rmt.Error, match="seed"):
        rmt.simulate("ridge", draws=2, seed=-1)


def test_a_ridgeless_tie_is_infinite_not_an_error():
    found = rmt.predict("ridge", **{**SMALL, "n": 60, "lambda_": 0.0})
    assert found["risk"] == np.inf and found.notes


def test_results_are_frames_figures_and_pickles():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    prediction = rmt.predict("ridge", **SMALL)
    assert prediction.to_frame().loc["risk", "value"] == prediction["risk"]
    again = pickle.loads(pickle.dumps(prediction))
    assert again["risk"] == prediction["risk"] and again.inputs == prediction.inputs

    curve = rmt.sweep("ridge", over={"n": [20, 40, 80]}, simulate=2, **SMALL_WITHOUT_N)
    frame = curve.to_frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame["n"]) == [20, 40, 80]
    assert {"risk", "risk_simulated", "risk_standard_error"} <= set(frame.columns)
    axes = curve.plot(["risk", "train_error"])
    assert len(axes.containers) == 2 and axes.get_xlabel() == "n"
    map_ = rmt.sweep("ridge", over={"n": [20, 40], "lambda": [1e-3, 1.0]}, **SMALL_WITHOUT_N)
    assert map_["risk"].shape == (2, 2)
    assert map_.plot().get_ylabel() == "n"
    with pytest.raises(KeyError, match="not among"):
        curve["rsik"]
    with pytest.raises(rmt.Error, match="not simulated"):
        map_.mean("risk")
    with pytest.raises(rmt.Error, match="no list"):
        prediction.plot()
    lists = rmt.simulate("sgd", draws=2)
    assert lists.plot().lines
    assert set(lists.to_frame().columns) == {"theory", "mean", "standard_error", "z"}


def test_inputs_at_the_end_of_the_floating_point_range_do_not_stop_the_solver():
    for task, key in [("norm_to_risk", "norm"), ("model_collapse_generations", "lambda")]:
        with pytest.raises(rmt.Error, match="norm|not a number"):
            rmt.predict(task, rmt.example(task) | {key: 1e300})
