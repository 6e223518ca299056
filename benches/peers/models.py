"""Peers of benches/models.rs in NumPy: effective ridges of 1e5 modes, the two-point table of SGD."""

import time

import numpy as np


def best(job, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)


def ridges():
    """Newton in ln κ at 1000 ridges, warm-started, every mode summed; then the sums of the risk."""
    i = np.arange(1, 100_001)
    s, c = i**-1.3, i**-0.6
    n, m, noise = 5000.0, 3000.0, 0.2
    lambdas = 10.0 ** (2.0 - 0.01 * np.arange(1000))
    kappa = lambdas[0] + s.sum() * (1 / n + 1 / m)
    out = []
    for ridge in lambdas:
        for _ in range(100):
            r = s / (s + kappa)
            d, e = r.sum(), (r * r).sum()
            value = kappa * (1 - d / m) * (1 - d / n)
            slope = 1 + (d - e) * (1 / (n - d) + 1 / (m - d))
            step = -np.log(value / ridge) / slope
            kappa *= np.exp(step)
            if abs(step) < 1e-10:
                break
        r = s / (s + kappa)
        d, e = r.sum(), (r * r).sum()
        open_ = kappa / (s + kappa)
        b2, kt3 = (c * s * open_ * open_).sum(), (c * s * open_ * r).sum()
        rest = (d - e) / (m - e)
        upsilon = (e + rest * (d - e)) / n
        out.append((noise + b2 + rest * kt3) / (1 - upsilon) - noise)
    return out


def two_point(p=2000, nodes=200, times=1000):
    """Three complex products of the two-point table and a quadratic form a time."""
    rng = np.random.default_rng(0)
    s = np.arange(1, p + 1) ** -0.9
    c = np.arange(1, p + 1) ** -1.0
    kappa = rng.uniform(0.1, 1, nodes) + 1j * rng.uniform(0.1, 1, nodes)
    f = np.exp(-np.outer(np.linspace(0, 5, times), kappa))
    g = 1 / (s + kappa[:, None])
    for h in (g, g.conj()):
        for weight in (s, c * s, c * s * s):
            table = (g * weight) @ h.T
        np.einsum("tj,jk,tk->t", f, table, f, optimize=True)


if __name__ == "__main__":
    print(f"1000 ridges of 1e5 modes: {best(ridges, 1):.2f} s")
    print(f"two-point table, 2000 modes, 200 nodes, 1000 times: {best(two_point):.3f} s")
