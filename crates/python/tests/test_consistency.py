"""Agreement of diffusion models, against the command line."""

from __future__ import annotations

import numpy as np
import pytest

import rmt


@pytest.fixture(scope="module")
def digits(root):
    return np.load(root / "data" / "digits_8x8.npy").reshape(-1, 64).astype(float)


def test_it_is_the_command_lines_to_the_last_bit(digits, command_line):
    (line,) = command_line(
        "consistency", "data/digits_8x8.npy", "--n", "100,400", "--check", "3", "--sigma", "0.5,5", "--json"
    )
    found = rmt.consistency(digits, n=[100, 400], check=3, sigma=[0.5, 5.0])
    for name in ("relative", "disagreement"):
        assert found[name].tolist() == [s[name] for s in line["sizes"]]
    for name in ("required_samples", "rows", "columns", "rank", "total_variance"):
        assert found[name] == line[name], name
    assert found["curve"]["n"].tolist() == [c[0] for c in line["curve"]]
    assert found["curve"]["relative"].tolist() == [c[1] for c in line["curve"]]
    # The command line thins the modes out.
    rank = np.asarray(line["modes"]["rank"]) - 1
    assert found["eigenvalues"][rank].tolist() == line["modes"]["eigenvalue"]
    assert found["consistency"][:, rank].tolist() == line["modes"]["consistency"]
    for ours, theirs in zip(found["levels"], line["levels"], strict=True):
        assert ours == theirs
    for ours, theirs in zip(found["check"], line["check"], strict=True):
        assert ours == theirs


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
        (dict(n=[1]), "`n` is 1"),
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
