"""How far diffusion models trained on different parts of a data set agree."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from . import _figures, _native
from ._arrays import floats, numbers


class Consistency(dict[str, Any]):
    """Predictions (and checks) by name: ``n``, ``relative``, ``disagreement`` and ``consistency`` (per
    mode, a row a size) of generated samples, ``required_samples``, ``levels`` of the denoiser, ``curve``,
    ``check``, ``generated``, ``notes``."""

    def to_frame(self) -> Any:
        """A row a training-set size (pandas)."""
        return _figures.pandas().DataFrame(
            {"n": self["n"], "disagreement": self["disagreement"], "relative": self["relative"]}
        )

    def plot(self, ax: Any = None) -> Any:
        """Relative disagreement of generated samples against the number of training samples, with what splits
        of the data measured (matplotlib)."""
        ax = _figures.axes(ax)
        ax.loglog(self["curve"]["n"], self["curve"]["relative"], color=_figures.COLOURS[0], label="theory")
        measured = [c for c in self.get("check", []) if "sigma" not in c]
        if measured:
            scale = [c["relative"] / c["measured"] for c in measured]
            ax.errorbar(
                [c["n"] for c in measured],
                [c["relative"] for c in measured],
                [2 * c["standard_error"] * s for c, s in zip(measured, scale)],
                fmt="o",
                ms=4,
                color=_figures.COLOURS[1],
                label="splits of the data",
            )
        ax.set_xlabel("training samples n")
        ax.set_ylabel("relative disagreement")
        ax.legend(frameon=False)
        return ax


def consistency(
    X: ArrayLike,
    *,
    n: ArrayLike | None = None,
    sigma: ArrayLike = (0.05, 0.3, 1.0, 5.0),
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    tolerance: float = 0.05,
    mean: str = "mle",
    check: int | None = None,
    seed: int = 0,
    generated: tuple[ArrayLike, ArrayLike] | None = None,
    trained_on: int | None = None,
) -> Consistency:
    """Predicts, from the spectrum of X (samples × features), how far two diffusion models trained on disjoint
    sets of n samples agree: 0 identical, 1 unrelated.

    Parameters
    ----------
    n
        Training-set sizes; by default halvings of half the rows.
    sigma, sigma_min, sigma_max
        Noise levels of the denoiser; those at which sampling ends and starts.
    tolerance
        Relative disagreement that counts as the same, for ``required_samples``.
    mean
        ``"mle"`` (sample mean), ``"unbiased"`` or ``"known"``.
    check, seed
        Fit models to this many pairs of splits at every n and compare.
    generated, trained_on
        Samples that your own two models made from the same noise, row i with row i, and how many samples each
        was trained on.
    """
    sizes: list[int] = []
    for value in [] if n is None else numbers(n, "n"):
        if value != int(value) or value < 1:
            raise _native.Error(f"n: {value:g} is no number of samples")
        sizes.append(int(value))
    pair = None
    if generated is not None:
        if len(generated) != 2:
            raise _native.Error("generated: give a pair of arrays")
        pair = (floats(generated[0], "generated[0]", 2), floats(generated[1], "generated[1]", 2))
    if trained_on is not None and pair is None:
        raise _native.Error("trained_on: only with generated samples")
    levels = numbers(sigma, "sigma")
    if not levels:
        raise _native.Error("sigma: give at least one noise level")
    found = _native.consistency(
        floats(X, "X", 2),
        sizes=sizes,
        sigma=levels,
        sigma_min=float(sigma_min),
        sigma_max=float(sigma_max),
        tolerance=float(tolerance),
        mean=mean,
        check=check,
        seed=seed,
        generated=pair,
        trained_on=trained_on,
    )
    for name in ("rows", "columns", "rank", "required_samples"):
        found[name] = int(found[name])
    found["notes"] = list(found["notes"])
    return Consistency(found)
