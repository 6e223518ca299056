"""Two groups in NumPy: the same Newton iteration and risks, written with whole arrays. Times are the
least of five."""

import time

import numpy as np


def fixed_point(traces, n, lam):
    """e of both groups; traces(c) gives Tr S_s G, Tr S_s G S_r G at c = P e."""
    total = n.sum()
    share, e = n / total, np.ones(2)
    for _ in range(100):
        first, second = traces(share * e)
        f = 1 / (1 + first / total)
        jac = (f**2)[:, None] / total * share[None, :] * second
        step = np.linalg.solve(np.eye(2) - jac, f - e)
        e = e + step
        if np.abs(step / e).max() < 1e-14 or (step > 0).any():
            return e
    raise RuntimeError("no convergence")


def atoms(p=1_000_000, n=np.array([3e5, 1e5]), lam=1e-4, noise=0.3):
    i = np.arange(1, p + 1.0)
    s = np.stack([i**-1.1, i[::-1] ** -0.6])
    prior, own = np.full(p, 1e-6), np.full(p, 5e-7)

    def run():
        def traces(c):
            g = 1 / (c @ s + lam)
            sg = s * g
            return sg.sum(1), sg @ sg.T

        e = fixed_point(traces, n, lam)
        share = n / n.sum()
        c = share * e
        g = 1 / (c @ s + lam)
        sg = s * g
        offset = [lam * g, c[1] * sg[1], lam * g + c[0] * sg[0]]
        energy = np.array([(s[t] * (offset[0] ** 2 * prior + offset[1 + t] ** 2 * own)).sum() for t in range(2)])
        pull = e**2 / n.sum()
        jac = pull[:, None] * share[None, :] * (sg @ sg.T)
        adjoint = np.linalg.solve((np.eye(2) - jac).T, share * (energy + noise))
        return energy + (pull * adjoint) @ (sg @ sg.T)

    return run


def matrices(p=400, n=np.array([300.0, 180.0]), lam=0.03, noise=0.3):
    i = np.arange(1, p + 1.0)
    u = np.eye(p) - 2 * np.outer(i, i) / (i @ i)
    s = [np.diag(np.linspace(0.1, 2, p)), u * (4 * i**-0.7) @ u]
    prior, own = 1 / p, 0.5 / p

    def run():
        def traces(c):
            g = np.linalg.inv(c[0] * s[0] + c[1] * s[1] + lam * np.eye(p))
            sg = [m @ g for m in s]
            return np.array([np.trace(m) for m in sg]), np.array([[(a * b.T).sum() for b in sg] for a in sg])

        e = fixed_point(traces, n, lam)
        share = n / n.sum()
        c = share * e
        g = np.linalg.inv(c[0] * s[0] + c[1] * s[1] + lam * np.eye(p))
        gs = [g @ m for m in s]
        shared, outside, inside = lam * g, c[1] * gs[1], lam * g + c[0] * gs[0]
        energy = np.array(
            [
                prior * (shared * (s[t] @ shared)).sum() + own * (o * (s[t] @ o)).sum()
                for t, o in enumerate([outside, inside])
            ]
        )
        second = np.array([[(a * b.T).sum() for b in gs] for a in gs])
        pull = e**2 / n.sum()
        jac = pull[:, None] * share[None, :] * second
        adjoint = np.linalg.solve((np.eye(2) - jac).T, share * (energy + noise))
        return energy + (pull * adjoint) @ second

    return run


for name, run in [("1e6 joint atoms", atoms()), ("p = 400, no common eigenbasis", matrices())]:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        risk = run()
        times.append(time.perf_counter() - start)
    print(f"{name}: {min(times):.3f} s, risks {risk}")
