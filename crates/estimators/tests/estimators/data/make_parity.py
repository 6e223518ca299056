"""Reference values for parity.rs: scikit-learn's RidgeCV and, where that fails
(alpha of 1e-14 and 0), leave-one-out in 140-digit arithmetic.

    python make_parity.py > parity.json        # scikit-learn 1.9, numpy 2.4, mpmath 1.3
"""

import csv
import json
import pathlib
import sys

import mpmath
import numpy as np
import sklearn
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

mpmath.mp.dps = 140
root = pathlib.Path(__file__).resolve().parents[5]


def exact_loo(x, y, alpha):
    """Mean squared leave-one-out error with intercept, by refitting in 140 digits the limit of
    a small ridge (alpha = 0: alpha -> 0+, i.e. the minimum-norm fit)."""
    n, p = x.shape
    alpha = mpmath.mpf(alpha) if alpha > 0 else mpmath.mpf("1e-45")
    xm = mpmath.matrix(x.tolist())
    ym = mpmath.matrix(y.tolist())
    mean = [sum(xm[i, j] for i in range(n)) / n for j in range(p)]
    ybar = sum(ym) / n
    for i in range(n):
        for j in range(p):
            xm[i, j] -= mean[j]
        ym[i] -= ybar
    if p < n:
        a = xm.T * xm + alpha * mpmath.eye(p)
        inverse = a**-1
        theta = inverse * (xm.T * ym)
        total = mpmath.mpf(0)
        for i in range(n):
            row = xm[i, :]
            h = (row * inverse * row.T)[0] + mpmath.mpf(1) / n
            r = ym[i] - (row * theta)[0]
            total += (r / (1 - h)) ** 2
        return float(total / n)
    # Gram matrix with the mean direction lifted: r and 1 - h in units of alpha.
    gram = xm * xm.T + alpha * mpmath.eye(n)
    inverse = gram**-1
    dual = inverse * ym
    total = mpmath.mpf(0)
    for i in range(n):
        # 1 - h = alpha * (inverse_ii) - 1/n, since inverse has 1/alpha on the mean direction.
        total += (alpha * dual[i] / (alpha * inverse[i, i] - mpmath.mpf(1) / n)) ** 2
    return float(total / n)


def case(name, x, y, alphas):
    model = RidgeCV(alphas=alphas, store_cv_results=True).fit(x, y)
    ridge = [Ridge(alpha=a, solver="cholesky").fit(x, y) for a in alphas]
    return {
        "name": name,
        "alphas": list(alphas),
        "loo": model.cv_results_.mean(axis=0).tolist(),
        "best_alpha": float(model.alpha_),
        "coefficients": [r.coef_.tolist() for r in ridge],
        "intercepts": [float(r.intercept_) for r in ridge],
        "exact_loo": {str(a): exact_loo(x, y, a) for a in (alphas[0], 1e-14, 0.0)},
    }


with open(root / "data" / "diabetes.csv") as f:
    rows = list(csv.reader(f))[1:]
table = np.array(rows, dtype=float)
x, y = table[:, :-1], table[:, -1]
cases = [case("diabetes_standardised", StandardScaler().fit_transform(x), y, np.logspace(-2, 4, 13))]

# n < p: data by formula, so that the test can rebuild them.
n, p = 14, 25
i, j = np.meshgrid(np.arange(n), np.arange(p), indexing="ij")
wide = np.sin((i + 1.0) * (j + 2.0)) / np.sqrt(j + 1.0)
target = np.cos(1.7 * np.arange(n)) + wide[:, 0]
cases.append(case("wide", wide, target, np.logspace(-3, 2, 11)))
cases[-1]["x"], cases[-1]["y"] = wide.tolist(), target.tolist()

versions = f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, mpmath {mpmath.__version__}"
json.dump({"made_with": versions, "cases": cases}, sys.stdout)
