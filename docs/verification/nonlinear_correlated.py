"""How wrong the formulas of linear layers are for nonlinear layers under correlated samples.

x has correlation K between samples; the formulas treat the nonlinear part of every feature as if it had
the correlation K too. Prints risk, training error and degrees of freedom, theory against experiment.
"""

import sys
from math import pi, sqrt

import numpy as np

RELU = (lambda x: np.maximum(x, 0), 1 / sqrt(2 * pi), 0.5, 0.25 - 1 / (2 * pi))
TANH = (np.tanh, 0.0, 0.605705509602159, 0.0274153260354303)


def root(f, low, high):
    """Root of an increasing function of ln x."""
    for _ in range(200):
        middle = sqrt(low * high)
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return high


def theory(s, c, n, layers, ridge, noise, k):
    energy = s * c

    def chain(kappa):
        _, _, linear, tail = layers[0][1] if layers[0][1] else (None, 0, 1.0, 0.0)
        t = linear**2 / s.sum() * s if layers[0][1] else s
        ridge_seen, log_slope = kappa, 1.0
        dof = (t / (t + kappa)).sum() + tail / kappa
        slope = -(t * kappa / (t + kappa) ** 2).sum() - tail / kappa
        before = linear**2 + tail
        for index, (width, activation) in enumerate(layers):
            if index > 0 and activation:
                _, _, linear, tail = activation
                ridge_seen *= linear**2 / before
                dof += tail / ridge_seen
                slope -= tail / ridge_seen * log_slope
                before = linear**2 + tail
            if dof >= width:
                return None
            ridge_seen *= 1 - dof / width
            log_slope -= slope / (width - dof)
        missed = (energy * kappa**2 / (t + kappa) ** 2).sum()
        partly = (energy * kappa * t / (t + kappa) ** 2).sum()
        return ridge_seen, dof, slope / log_slope, missed + partly, partly / log_slope

    def inner(dof):
        return root(lambda x: dof - (k / (k + x)).sum(), 1e-14, 1e8)

    def excess(kappa):
        at = chain(kappa)
        if at is None or at[1] >= n:
            return -1.0
        return at[0] * inner(at[1]) * at[1] / n - ridge

    _, dof, slope, open_energy, rise = chain(root(excess, 1e-14, 1e6))
    x = inner(dof)
    df2 = (k**2 / (k + x) ** 2).sum()
    error = (noise + open_energy - rise) / (1 - (dof + slope) * df2 / dof**2)
    return error - noise, x / n * (dof - df2) * error, dof


def own_correlation(activation, k):
    """T: closed form for relu (a kink spoils quadrature), Gauss-Hermite in u and w for v = k u + sqrt(1 - k^2) w."""
    function, mean, linear, _ = activation
    if activation is RELU:
        return (np.sqrt(1 - k**2) + (pi - np.arccos(k)) * k) / (2 * pi) - mean**2 - linear**2 * k
    u, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    values = np.unique(k.round(15))
    v = values[:, None, None] * u[:, None] + np.sqrt(1 - values**2)[:, None, None] * u
    f = function(u) - mean - linear * u
    g = function(v) - mean - linear * v
    table = np.einsum("a,b,a,kab->k", weights, weights, f, g, optimize=True)
    return table[np.searchsorted(values, k.round(15))]


def own_degrees_of_freedom(s, n, width, activation, ridge, correlation):
    """aK + T/n + ridge/(1 - D/m), a and the ridge on the modes each by its trace, iterated."""
    t = activation[2] ** 2 * s / s.sum()
    noise_like = own_correlation(activation, correlation) / n
    kappa, seen = t.sum() / n + ridge, 2 * ridge
    for _ in range(5000):
        a = kappa * (t / (t + kappa)).sum() / n
        inverse = np.linalg.inv(a * correlation + noise_like + seen * np.eye(n))
        dof = n - seen * np.trace(inverse)
        new = n / np.trace(correlation @ inverse), ridge / (1 - dof / width)
        change = abs(new[0] / kappa - 1) + abs(new[1] / seen - 1)
        kappa, seen = sqrt(kappa * new[0]), new[1]
        if change < 1e-10:
            break
    return dof


def experiment(s, c, n, layers, ridge, noise, correlation, random):
    factor = np.linalg.cholesky(correlation)
    points, w = 2000, np.sqrt(c)
    train = factor @ random.standard_normal((n, len(s))) * np.sqrt(s)
    test = random.standard_normal((points, len(s))) * np.sqrt(s)
    y = train @ w + sqrt(noise) * (factor @ random.standard_normal(n))
    truth = test @ w
    variance = s.sum()
    for index, (width, activation) in enumerate(layers):
        weights = random.standard_normal((train.shape[1], width))
        if activation:
            function, mean, linear, tail = activation
            scale = 1 / sqrt(variance * (1 if index == 0 else train.shape[1]))
            train, test = (function(a @ weights * scale) - mean for a in (train, test))
            variance = linear**2 + tail
        else:
            train, test = (a @ weights / sqrt(width) for a in (train, test))
    if layers[-1][1]:
        train, test = (a / sqrt(layers[-1][0]) for a in (train, test))
    gram = train @ train.T / n
    solved = np.linalg.solve(gram + ridge * np.eye(n), np.column_stack([y, gram]))
    a = train.T @ solved[:, 0] / n
    return ((test @ a - truth) ** 2).mean(), ((train @ a - y) ** 2).mean(), np.trace(solved[:, 1:])


CASES = [
    ("two linear layers", 150, [(200, None), (120, None)], 8, 1e-2, 1.2),
    ("relu", 150, [(120, RELU)], 8, 1e-2, 0.6),
    ("relu, wide", 150, [(300, RELU)], 8, 1e-3, 0.6),
    ("relu, short correlation", 200, [(150, RELU)], 2, 1e-3, 0.6),
    ("tanh", 150, [(120, TANH)], 8, 1e-2, 0.6),
    ("tanh, wide", 150, [(300, TANH)], 4, 1e-3, 0.6),
    ("relu then tanh", 150, [(200, RELU), (120, TANH)], 8, 1e-2, 0.6),
]

if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for name, n, layers, length, ridge, alpha in CASES:
        i = np.arange(1, 201)
        s, c = i**-alpha, i**-0.5
        c = c / (s * c).sum()
        lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        correlation = np.exp(-lag / length)
        expected = theory(s, c, n, layers, ridge, 0.1, np.linalg.eigvalsh(correlation))
        random = np.random.default_rng(0)
        job = (s, c, n, layers, ridge, 0.1, correlation, random)
        values = np.array([experiment(*job) for _ in range(draws)])
        mean, error = values.mean(0), values.std(0, ddof=1) / sqrt(draws)
        cells = [
            f"{t:.4f} | {m:.4f} ± {e:.4f} ({100 * (m / t - 1):+.1f} %, {(m - t) / e:+.1f})"
            for t, m, e in zip(expected, mean, error)
        ]
        if len(layers) == 1:
            own = own_degrees_of_freedom(s, n, *layers[0], ridge, correlation)
            cells.append(f"{own:.4f} ({100 * (mean[2] / own - 1):+.1f} %)")
        print(f"| {name}, n = {n}, ξ = {length}, λ = {ridge} | " + " | ".join(cells) + " |", flush=True)
