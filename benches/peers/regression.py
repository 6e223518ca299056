"""Peers of benches/regression.rs on data of the same sizes: scikit-learn's RidgeCV and NumPy.

    python3 benches/peers/regression.py        # needs numpy and scikit-learn
"""

import time

import numpy as np
from sklearn.linear_model import RidgeCV


def best(f, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def data(n, p, q=1):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, p)), rng.standard_normal((n, q)) if q > 1 else rng.standard_normal(n)


def blocked(x, y, lambdas, blocks):
    """Exact blocked cross-validation from one eigendecomposition, without intercept."""
    n, p = x.shape
    g, v = np.linalg.eigh(x.T @ x / n)
    u = x @ v / np.sqrt(n * g)
    b = u.T @ y
    total = np.zeros(len(lambdas))
    for k, lam in enumerate(lambdas):
        h = g / (g + lam)
        r = y - u @ (h * b)
        for rows in np.array_split(np.arange(n), blocks):
            us = u[rows]
            e = np.linalg.solve(np.eye(len(rows)) - (us * h) @ us.T, r[rows])
            total[k] += e @ e
    return total / n


for n, p in [(1000, 1000), (2000, 500)]:
    x, y = data(n, p)
    alphas = n * np.logspace(-5, 1, 30)
    print(f"RidgeCV, 30 ridges, {n}x{p}: {best(lambda: RidgeCV(alphas=alphas).fit(x, y)):.3f} s")
    gram = (lambda: np.linalg.eigh(x.T @ x)) if p < n else (lambda: np.linalg.eigh(x @ x.T))
    print(f"NumPy Gram and eigh, {n}x{p}: {best(gram):.3f} s")
x, y = data(2000, 500)
lambdas = np.logspace(-5, 1, 30)
print(f"NumPy, ten exact blocks x 30 ridges, 2000x500: {best(lambda: blocked(x, y, lambdas, 10)):.3f} s")
x, y = data(1000, 1000, 1000)
alphas = 1000 * np.logspace(-5, 1, 20)
print(f"RidgeCV alpha_per_target, 1000 targets: {best(lambda: RidgeCV(alphas=alphas, alpha_per_target=True).fit(x, y), 2):.3f} s")
