//! Named problems, each a complete and interesting example.

use crate::error::{Error, Result};
use crate::input::Problem;

/// A named problem.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Name on the command line.
    pub name: &'static str,
    /// What it computes.
    pub title: &'static str,
    /// The problem as JSON.
    pub json: &'static str,
}

impl Example {
    /// The problem.
    ///
    /// # Errors
    /// None for the examples of [`gallery`].
    pub fn problem(&self) -> Result<Problem> {
        serde_json::from_str(self.json).map_err(|e| Error::invalid(self.name, e.to_string()))
    }
}

/// All examples.
pub fn gallery() -> &'static [Example] {
    &GALLERY
}

const GALLERY: [Example; 17] = [
    Example {
        name: "marchenko_pastur",
        title: "Stieltjes transform of a sample covariance of white data",
        json: r#"{
    "dims": {"n": 300, "p": 200},
    "parameters": {"lam": 0.1},
    "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
    "expression": "tr(inv(Z'*Z/n + lam*I(p)))"
}"#,
    },
    Example {
        name: "anisotropic",
        title: "Degrees of freedom of ridge regression on data with covariance S",
        json: r#"{
    "dims": {"n": 200, "p": 300},
    "parameters": {"lam": 0.05},
    "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
    "deterministic": {"S": {"kind": "power_law", "p": 300, "alpha": 1.0, "scale": 3.0}},
    "expression": "tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))"
}"#,
    },
    Example {
        name: "ridge_bias",
        title: "Bias of ridge regression: lam^2 Tr(Th R S R), R the resolvent, Th = E[theta theta']",
        json: r#"{
    "dims": {"n": 300, "p": 200},
    "parameters": {"lam": 0.1},
    "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
    "deterministic": {
        "S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0},
        "Th": {"kind": "linear", "p": 200, "from": 1.5, "to": 0.5}
    },
    "expression": "lam^2*Tr(Th*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))*S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))/p"
}"#,
    },
    Example {
        name: "ridge_variance",
        title: "Variance of ridge regression with noise variance s2",
        json: r#"{
    "dims": {"n": 300, "p": 200},
    "parameters": {"lam": 0.1, "s2": 0.5},
    "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
    "deterministic": {"S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0}},
    "expression": "s2*Tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))*sqrt(S)*Z'*Z*sqrt(S)/n*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))/n"
}"#,
    },
    Example {
        name: "two_groups",
        title: "Resolvent of pooled data from two groups whose covariances do not commute",
        json: r#"{
    "dims": {"n": 120, "n1": 70, "n2": 50, "p": 60},
    "parameters": {"lam": 0.2},
    "random": {
        "A": {"rows": "n1", "cols": "p", "variance": "1"},
        "B": {"rows": "n2", "cols": "p", "variance": "1"}
    },
    "deterministic": {
        "S1": {"kind": "power_law", "p": 60, "alpha": 1.0, "scale": 3.0},
        "S2": {"kind": "rotated", "spectrum": {"kind": "linear", "p": 60, "from": 0.1, "to": 2.0}, "basis": {"kind": "dct"}}
    },
    "expression": "tr(S1*inv(sqrt(S1)*A'*A*sqrt(S1)/n + sqrt(S2)*B'*B*sqrt(S2)/n + lam*I(p)))"
}"#,
    },
    Example {
        name: "random_feature_kernel",
        title: "Kernel of nonlinear random features in its Gaussian equivalent W X + T",
        json: r#"{
    "dims": {"n": 200, "d": 300, "m": 375},
    "parameters": {"lam": 0.1, "zeta": 0.25, "beta": 0.0915},
    "random": {
        "W": {"rows": "m", "cols": "d", "variance": "zeta"},
        "X": {"rows": "d", "cols": "n", "variance": "1/d"},
        "T": {"rows": "m", "cols": "n", "variance": "beta"}
    },
    "expression": "tr(X'*X*inv((W*X + T)'*(W*X + T)/m + lam*I(n)))"
}"#,
    },
    Example {
        name: "random_feature_bias",
        title: "Bias of ridge regression on linear random features",
        json: r#"{
    "dims": {"n": 240, "p": 200, "m": 150},
    "parameters": {"lam": 0.05},
    "random": {
        "Z": {"rows": "n", "cols": "p", "variance": "1"},
        "W": {"rows": "p", "cols": "m", "variance": "1/p"}
    },
    "deterministic": {
        "S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0},
        "Th": {"kind": "linear", "p": 200, "from": 1.5, "to": 0.5}
    },
    "expression": "Tr(Th*(I(p) - W*inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m))*W'*sqrt(S)*Z'*Z*sqrt(S)/n)'*S*(I(p) - W*inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m))*W'*sqrt(S)*Z'*Z*sqrt(S)/n))/p"
}"#,
    },
    Example {
        name: "random_feature_variance",
        title: "Variance of ridge regression on linear random features",
        json: r#"{
    "dims": {"n": 240, "p": 200, "m": 150},
    "parameters": {"lam": 0.05, "s2": 0.3},
    "random": {
        "Z": {"rows": "n", "cols": "p", "variance": "1"},
        "W": {"rows": "p", "cols": "m", "variance": "1/p"}
    },
    "deterministic": {"S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0}},
    "expression": "s2*Tr(S*W*inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m))*W'*sqrt(S)*Z'*Z*sqrt(S)*W*inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m))*W')/n^2"
}"#,
    },
    Example {
        name: "product_of_wisharts",
        title: "Resolvent of a product of two independent Wishart matrices",
        json: r#"{
    "dims": {"n": 300, "n2": 250, "p": 200},
    "parameters": {"lam": 0.1},
    "random": {
        "A": {"rows": "n", "cols": "p", "variance": "1"},
        "B": {"rows": "n2", "cols": "p", "variance": "1"}
    },
    "expression": "tr(inv(A'*A/n*B'*B/n2 + lam*I(p)))"
}"#,
    },
    Example {
        name: "sum_of_wisharts",
        title: "Resolvent of a sum of two independent Wishart matrices",
        json: r#"{
    "dims": {"n": 300, "n2": 250, "p": 200},
    "parameters": {"lam": 0.1},
    "random": {
        "A": {"rows": "n", "cols": "p", "variance": "1"},
        "B": {"rows": "n2", "cols": "p", "variance": "1"}
    },
    "expression": "tr(inv(A'*A/n + 2*B'*B/n2 + lam*I(p)))"
}"#,
    },
    Example {
        name: "manova",
        title: "Mean of the MANOVA law (an F matrix), n/(n+n2)",
        json: r#"{
    "dims": {"n": 300, "n2": 500, "p": 200},
    "random": {
        "A": {"rows": "n", "cols": "p", "variance": "1"},
        "B": {"rows": "n2", "cols": "p", "variance": "1"}
    },
    "expression": "tr(A'*A*inv(A'*A + B'*B))"
}"#,
    },
    Example {
        name: "random_projection",
        title: "Energy that a random projection of rank m keeps",
        json: r#"{
    "dims": {"m": 80, "p": 200},
    "random": {"W": {"rows": "m", "cols": "p", "variance": "1"}},
    "deterministic": {"S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 1.0}},
    "expression": "Tr(S*sqrt(S)*W'*inv(W*S*W')*W*sqrt(S))/Tr(S)"
}"#,
    },
    Example {
        name: "sketched_variance",
        title: "Variance of ridge regression on sketched rows",
        json: r#"{
    "dims": {"n": 300, "p": 150, "m": 200},
    "parameters": {"lam": 0.1, "s2": 0.3},
    "random": {
        "Z": {"rows": "n", "cols": "p", "variance": "1"},
        "Q": {"rows": "m", "cols": "n", "variance": "1/m"}
    },
    "deterministic": {"S": {"kind": "power_law", "p": 150, "alpha": 1.0, "scale": 3.0}},
    "expression": "s2*Tr(S*inv(sqrt(S)*Z'*Q'*Q*Z*sqrt(S)/n + lam*I(p))*sqrt(S)*Z'*Q'*Q*Q'*Q*Z*sqrt(S)*inv(sqrt(S)*Z'*Q'*Q*Z*sqrt(S)/n + lam*I(p)))/n^2"
}"#,
    },
    Example {
        name: "deep_features",
        title: "Resolvent of the features of a two-layer linear network",
        json: r#"{
    "dims": {"n": 200, "p": 180, "m": 220, "k": 160},
    "parameters": {"lam": 0.1},
    "random": {
        "Z": {"rows": "n", "cols": "p", "variance": "1"},
        "W1": {"rows": "p", "cols": "m", "variance": "1/p"},
        "W2": {"rows": "m", "cols": "k", "variance": "1/m"}
    },
    "deterministic": {"S": {"kind": "power_law", "p": 180, "alpha": 1.0, "scale": 3.0}},
    "expression": "tr(inv(W2'*W1'*sqrt(S)*Z'*Z*sqrt(S)*W1*W2/n + lam*I(k)))"
}"#,
    },
    Example {
        name: "information_plus_noise",
        title: "Resolvent of a low-rank signal R observed in noise of standard deviation s",
        json: r#"{
    "dims": {"n": 60, "p": 40},
    "parameters": {"lam": 0.2, "s": 0.5},
    "random": {"N": {"rows": "n", "cols": "p", "variance": "1/n"}},
    "deterministic": {"R": {"kind": "dct_rectangular", "rows": 60, "cols": 40, "rank": 10, "scale": 1.5}},
    "expression": "tr(inv((R + s*N)'*(R + s*N) + lam*I(p)))"
}"#,
    },
    Example {
        name: "rotated_projection",
        title: "Ridge resolvent of S after an orthogonal sketch X: a projection on a uniformly random subspace",
        json: r#"{
    "dims": {"p": 200},
    "parameters": {"lam": 0.1},
    "random": {"X": {"rows": "p", "cols": "p", "kind": "haar", "spectrum": {"kind": "levels", "values": [1, 0], "counts": [120, 80]}}},
    "deterministic": {"S": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0}},
    "expression": "tr(S*inv(sqrt(S)*X*sqrt(S) + lam*I(p)))"
}"#,
    },
    Example {
        name: "deformed_wigner",
        title: "Resolvent of a symmetric noise matrix around a deterministic one",
        json: r#"{
    "dims": {"p": 200},
    "parameters": {"mu": 4.0},
    "random": {"H": {"rows": "p", "cols": "p", "variance": "1/p", "kind": "goe"}},
    "deterministic": {"S": {"kind": "linear", "p": 200, "from": 0.0, "to": 1.0}},
    "expression": "tr(inv(mu*I(p) - S - H))"
}"#,
    },
];
