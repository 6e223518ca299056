//! One decomposition of the prepared features serves every λ and target.
//!
//! X̃/√n = U diag(√g) Vᵀ. The smaller Gram matrix is decomposed (O(np·min(n, p))); its eigenvalues
//! are good to ε·g_max, so where λ and the smallest g are both below [`SQUARED_LIMIT`]·g_max the
//! singular value decomposition of X̃ itself is taken, which is several times slower and keeps all
//! digits.

use crate::prepare::Prepared;
use crate::{Error, Result};
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::{Accum, Mat, Side};
use std::sync::OnceLock;

/// Ridges plus smallest eigenvalue below this fraction of the largest eigenvalue need the SVD:
/// above it the error of a Gram eigenvalue, ε·g_max, is below 2·10⁻⁸ of λ + g.
const SQUARED_LIMIT: f64 = 1e-8;

/// How the features were decomposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Eigendecomposition of XᵀX (p < n) or XXᵀ.
    GramEigen,
    /// Singular value decomposition of X.
    Svd,
}

#[derive(Clone, Debug)]
pub(crate) struct Decomposition {
    pub(crate) method: Method,
    /// Positive eigenvalues g of X̃X̃ᵀ/n, descending.
    pub(crate) g: Vec<f64>,
    /// UᵀỸ, r×q.
    pub(crate) b: Mat<f64>,
    /// Whether U spans the whole space of the residuals.
    pub(crate) whole: bool,
    /// |ỹ − UUᵀỹ|² of each target.
    pub(crate) rest: Vec<f64>,
    /// Ỹ − UUᵀỸ, n×q; `None` when it is zero or the rows are not held.
    pub(crate) perp: Option<Mat<f64>>,
    /// Right singular vectors, p×r, where known.
    v: Option<Mat<f64>>,
    /// Left singular vectors, n×r; those of a p < n Gram only when asked for.
    u: OnceLock<Mat<f64>>,
}

impl Decomposition {
    pub(crate) fn gram(data: &Prepared) -> Result<Self> {
        let (n, p) = (data.rows, data.x.ncols());
        if p < data.dimension() {
            let gram = symmetric_product(data.x.transpose(), 1.0 / n as f64);
            let mut out = Self::moments(&gram, data.x.transpose() * &data.y, data)?;
            // y − X̃V(VᵀX̃ᵀX̃V)⁻¹VᵀX̃ᵀy, which |y|² − |b|² would lose digits of.
            let mut scaled = out.b.clone();
            for j in 0..scaled.ncols() {
                for (b, g) in scaled.col_as_slice_mut(j).iter_mut().zip(&out.g) {
                    *b /= (n as f64 * g).sqrt();
                }
            }
            if let Some(v) = &out.v {
                let perp = &data.y - &data.x * (v * scaled);
                out.rest = squared_norms(&perp);
                out.perp = Some(perp);
            }
            Ok(out)
        } else {
            let reduced = data.reduced();
            let gram = symmetric_product(reduced.as_ref(), 1.0 / n as f64);
            let evd = gram
                .self_adjoint_eigen(Side::Lower)
                .map_err(|_| Error::NoDecomposition { rows: n, columns: p })?;
            let (g, u) = descending(evd.S(), evd.U(), n.max(p) as f64 * f64::EPSILON)?;
            Ok(Self::with_left(data, Method::GramEigen, g, data.lifted(u), None))
        }
    }

    /// From X̃ᵀX̃/n and X̃ᵀỸ alone, for p below the dimension of the residuals.
    pub(crate) fn moments(gram: &Mat<f64>, xty: Mat<f64>, data: &Prepared) -> Result<Self> {
        let (n, p) = (data.rows, gram.nrows());
        let evd = gram
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: n, columns: p })?;
        let (g, v) = descending(evd.S(), evd.U(), n.max(p) as f64 * f64::EPSILON)?;
        // Uᵀy = g^−½ VᵀX̃ᵀy/√n.
        let mut b = v.transpose() * xty;
        for j in 0..b.ncols() {
            for (b, g) in b.col_as_slice_mut(j).iter_mut().zip(&g) {
                *b /= (n as f64 * g).sqrt();
            }
        }
        let rest = squared_norms(&b)
            .iter()
            .zip(&data.variance)
            .map(|(b, variance)| (n as f64 * variance - b).max(0.0))
            .collect();
        let (method, v, u) = (Method::GramEigen, Some(v), OnceLock::new());
        Ok(Self { method, g, b, whole: false, rest, perp: None, v, u })
    }

    pub(crate) fn svd(data: &Prepared) -> Result<Self> {
        let (n, p) = (data.rows, data.x.ncols());
        let reduced = data.reduced();
        let svd = reduced.thin_svd().map_err(|_| Error::NoDecomposition { rows: n, columns: p })?;
        let size = reduced.nrows().min(p);
        let values: Vec<f64> = (0..size).map(|i| svd.S()[i]).collect();
        let floor = values.first().copied().unwrap_or(0.0) * n.max(p) as f64 * f64::EPSILON;
        let rank = values.iter().take_while(|s| **s > floor).count();
        if rank == 0 {
            return Err(Error::NoVariance);
        }
        let g = values[..rank].iter().map(|s| s * s / n as f64).collect();
        let u = data.lifted(svd.U().subcols(0, rank).to_owned());
        let v = svd.V().subcols(0, rank).to_owned();
        Ok(Self::with_left(data, Method::Svd, g, u, Some(v)))
    }

    fn with_left(
        data: &Prepared,
        method: Method,
        g: Vec<f64>,
        u: Mat<f64>,
        v: Option<Mat<f64>>,
    ) -> Self {
        let b = u.transpose() * &data.y;
        let whole = g.len() == data.dimension();
        let perp = (!whole).then(|| &data.y - &u * &b);
        let rest = perp.as_ref().map_or_else(|| vec![0.0; b.ncols()], squared_norms);
        Self { method, g, b, whole, rest, perp, v, u: OnceLock::from(u) }
    }

    /// Whether the SVD is needed for the smallest of the ridges.
    pub(crate) fn too_coarse_for(&self, least: f64, full_rank: usize) -> bool {
        let (Some(largest), Some(smallest)) = (self.g.first(), self.g.last()) else { return false };
        // What was dropped as rounding may be an eigenvalue of its own.
        let smallest = if self.g.len() < full_rank { 0.0 } else { *smallest };
        self.method == Method::GramEigen && least + smallest < SQUARED_LIMIT * largest
    }

    /// The left singular vectors, n×r.
    pub(crate) fn left(&self, data: &Prepared) -> &Mat<f64> {
        self.u.get_or_init(|| {
            let n = data.rows as f64;
            match &self.v {
                Some(v) => {
                    let mut u = &data.x * v;
                    for (j, g) in self.g.iter().enumerate() {
                        let scale = (n * g).sqrt().recip();
                        u.col_as_slice_mut(j).iter_mut().for_each(|u| *u *= scale);
                    }
                    u
                }
                // Every constructor without V has U.
                None => Mat::zeros(data.rows, self.g.len()),
            }
        })
    }

    /// Coefficients of the prepared features at ridge λ, one column a target:
    /// V diag(√g/(g + λ)) UᵀỸ/√n.
    pub(crate) fn slopes(&self, data: &Prepared, lambda: f64) -> Mat<f64> {
        let n = data.rows as f64;
        let mut inner = self.b.clone();
        for j in 0..inner.ncols() {
            for (b, g) in inner.col_as_slice_mut(j).iter_mut().zip(&self.g) {
                *b *= match self.v {
                    Some(_) => (g / n).sqrt() / (g + lambda),
                    None => 1.0 / (n * (g + lambda)),
                };
            }
        }
        match &self.v {
            Some(v) => v * inner,
            None => data.x.transpose() * (self.left(data) * inner),
        }
    }
}

fn squared_norms(a: &Mat<f64>) -> Vec<f64> {
    (0..a.ncols()).map(|j| a.col(j).squared_norm_l2()).collect()
}

/// scale · A Aᵀ, lower half computed, both filled.
fn symmetric_product(a: faer::MatRef<'_, f64>, scale: f64) -> Mat<f64> {
    let n = a.nrows();
    let mut out = Mat::zeros(n, n);
    triangular_matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        a,
        BlockStructure::Rectangular,
        a.transpose(),
        BlockStructure::Rectangular,
        scale,
        faer::get_global_parallelism(),
    );
    out
}

/// Eigenpairs above rounding, largest first.
fn descending(
    values: faer::diag::DiagRef<'_, f64>,
    vectors: faer::MatRef<'_, f64>,
    tolerance: f64,
) -> Result<(Vec<f64>, Mat<f64>)> {
    let n = vectors.nrows();
    let at = |j: usize| n - 1 - j;
    let floor = tolerance * values[n - 1].max(0.0);
    let rank = (0..n).take_while(|&j| values[at(j)] > floor).count();
    if rank == 0 {
        return Err(Error::NoVariance);
    }
    let g = (0..rank).map(|j| values[at(j)]).collect();
    let mut out = Mat::zeros(n, rank);
    for j in 0..rank {
        out.col_mut(j).copy_from(vectors.col(at(j)));
    }
    Ok((g, out))
}
