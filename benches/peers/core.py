"""Peers of benches/core.rs in NumPy, on the same inputs: python3 benches/peers/core.py"""

import time

import numpy as np


def best(f, repeats=5):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def kappa_path():
    """Newton from the right end, warm-started along the path (largest ridge first)."""
    s = np.arange(1, 1_000_001) ** -1.5
    n = 10_000.0
    lambdas = 10.0 ** np.linspace(0.0, -8.0, 200)

    def solve():
        kappa = lambdas[0] + s.sum() / n
        for lam in lambdas:
            for _ in range(50):
                r = s / (s + kappa)
                step = (kappa * (1.0 - r.sum() / n) - lam) / (1.0 - (r * r).sum() / n)
                kappa -= step
                if abs(step) < 1e-12 * kappa:
                    break
        return kappa

    return best(solve, 2)


def one_pass():
    s = np.arange(1, 1_000_001) ** -1.5
    return best(lambda: (s / (s + 1e-6)).sum(), 50), best(lambda: s.sum(), 50)


def density():
    """Damped fixed point of the companion transform at 1e-3 above the axis, all points at once."""
    s = 0.5 + 2.0 * np.arange(1000) / 999.0
    n = 2000.0
    z = np.linspace(0.05, 4.5, 200) + 1e-3j

    def solve():
        v = -1.0 / z
        for _ in range(2000):
            new = -1.0 / (z - (s[None, :] / (1.0 + s[None, :] * v[:, None])).sum(1) / n)
            change = np.abs(new - v).max()
            v = 0.5 * (v + new)
            if change < 1e-10:
                break
        return v

    return best(solve, 2)


if __name__ == "__main__":
    print(f"kappa of 1e6 modes at 200 ridges   {kappa_path() * 1e3:10.2f} ms")
    kernel, plain = one_pass()
    print(f"one pass, sum s/(s+k)              {kernel * 1e3:10.3f} ms")
    print(f"plain sum                          {plain * 1e3:10.3f} ms")
    print(f"density at 200 points              {density() * 1e3:10.2f} ms")
