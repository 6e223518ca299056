"""Agreement of diffusion models, against the command line."""

from __future__ import annotations

import numpy as np
import pytest

import rmt


@pytest.fixture(scope="module")
def digits(root):
    # 0 to 16 become −1 and 1, as `--range 0:16` does.
    x = np.load(root / "data" / "digits_8x8.npy").reshape(-1, 64).astype(float)
    return -1.0 + 2.0 * (x - 0.0) / (16.0 - 0.0)


def test_it_is_the_command_lines(digits, command_line):
    (line,) = command_line(
        "consistency", "data/digits_8x8.npy", "--range", "0:16", "--n", "100,400", "--check", "3", "--json"
    )
    found = rmt.consistency(digits, n=[100, 400], check=3)
    # The scaling to [−1, 1] is not the same arithmetic; the spectrum forgets all but rounding.
    close = dict(rtol=1e-11)
    np.testing.assert_allclose(found["relative"], [s["relative"] for s in line["sizes"]], **close)
    np.testing.assert_allclose(found["disagreement"], [s["disagreement"] for s in line["sizes"]], **close)
    assert found["required_samples"] == line["required_samples"]
    assert (found["rows"], found["columns"], found["rank"]) == (line["rows"], line["columns"], line["rank"])
    np.testing.assert_allclose(found["curve"]["relative"], [c[1] for c in line["curve"]], **close)
    rank = np.asarray(line["modes"]["rank"]) - 1
    np.testing.assert_allclose(found["eigenvalues"][rank], line["modes"]["eigenvalue"], rtol=1e-9)
    np.testing.assert_allclose(found["consistency"][:, rank], line["modes"]["consistency"], rtol=1e-9)
    for ours, theirs in zip(found["levels"], line["levels"]):
        for name in ours:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-9), name
    for ours, theirs in zip(found["check"], line["check"]):
        for name in ours:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-8), name


def test_frames_figures_and_own_models(digits):
    found = rmt.consistency(digits[:400], n=50, check=2)
    assert found.to_frame().shape == (1, 3)
    assert found.plot().get_xlabel().startswith("training samples")
    noise = np.random.default_rng(0).normal(size=(30, 64))
    same = rmt.consistency(digits[:400], n=50, generated=(noise, noise), trained_on=100)
    assert same["generated"]["relative"] == 0.0
    assert rmt.consistency(digits[:400], n=300)["notes"]


def test_bad_inputs(digits):
    few = digits[:20]
    for arguments, text in [
        (dict(sigma=[-1.0]), "sigma"),
        (dict(sigma=[]), "sigma"),
        (dict(tolerance=2.0), "tolerance"),
        (dict(mean="median"), "mean"),
        (dict(n=[1]), "n: 1"),
        (dict(n=[2.5]), "n: 2.5"),
        (dict(trained_on=3), "trained_on"),
        (dict(n=[15], check=2), "check"),
        (dict(sigma_min=3.0, sigma_max=1.0), "sigma"),
    ]:
        with pytest.raises(ValueError) as raised:
            rmt.consistency(few, **arguments)
        assert text in str(raised.value), (arguments, str(raised.value))
    for x in (np.zeros((0, 3)), np.zeros((5, 0)), np.ones(4), np.full((5, 3), np.nan), np.ones((5, 3))):
        with pytest.raises(ValueError):
            rmt.consistency(x)
