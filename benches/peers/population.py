"""Peers of benches/population.rs, one thread: SciPy's DOP853 and a PyTorch training epoch.

    python3 benches/peers/population.py
"""

import time

import numpy as np

R = dict(r=1.0, k=10.0, a=0.5, a0=0.3, b=0.1, b0=0.2, d=0.4, e=0.6, f=0.1, g=0.1, h=0.08, i=0.05,
         i0=0.1, j=0.25)


def rhs(u, p):
    x, y, z = u
    pi = lambda c, s: s * s / (1 + c * s * s)
    return (
        p["r"] * x * (1 - x / p["k"]) - p["a"] * pi(p["a0"], x) * y - p["b"] * pi(p["b0"], x) * z,
        p["d"] * pi(p["a0"], x) * y - p["e"] * y + p["f"] * pi(p["i0"], z) * y,
        p["g"] * pi(p["b0"], x) * z - p["j"] * z + p["h"] * y * z - p["i"] * pi(p["i0"], z) * y,
    )


def best(run, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def trajectory():
    from scipy.integrate import solve_ivp

    run = lambda: solve_ivp(lambda t, u: rhs(u, R), (0, 100), [5, 1, 1], method="DOP853",
                            rtol=1e-12, atol=1e-14)
    print(f"trajectory to t = 100 at 1e-12, SciPy DOP853: {best(run, 5) * 1e3:.1f} ms")


def epoch():
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    layers = [1, 32, 32, 32, 3]
    modules = []
    for n, m in zip(layers, layers[1:]):
        modules += [torch.nn.Linear(n, m), torch.nn.Tanh()]
    net = torch.nn.Sequential(*modules[:-1])
    logs = {k: torch.nn.Parameter(torch.tensor(np.log(v))) for k, v in R.items()}
    adam = torch.optim.Adam([*net.parameters(), *logs.values()], lr=3e-3)
    data_t = torch.linspace(-1, 1, 41).reshape(-1, 1)
    data = torch.randn(41, 3)

    def run():
        adam.zero_grad()
        t = torch.linspace(-1, 1, 200).reshape(-1, 1).requires_grad_()
        u = net(t)
        du = torch.stack([torch.autograd.grad(u[:, c].sum(), t, create_graph=True)[0][:, 0]
                          for c in range(3)])
        p = {k: v.exp() for k, v in logs.items()}
        f = rhs(u.T, p)
        loss = sum(((du[c] * 0.1 - f[c]) ** 2).mean() for c in range(3))
        loss = loss + ((net(data_t) - data) ** 2).mean()
        loss.backward()
        adam.step()

    print(f"epoch, 3x32, 200 + 41 points, PyTorch f64: {best(run, 50) * 1e3:.2f} ms")


for part in (trajectory, epoch):
    try:
        part()
    except ImportError as missing:
        print(f"{part.__name__}: skipped, {missing}")
