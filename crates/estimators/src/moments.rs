use crate::decomposition::Decomposition;
use crate::prepare::{Prepared, SQUARED};
use crate::{Error, Options, Regression, Result, Table};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};

/// XᵀX, XᵀY and means, gathered block by block: for files of many more rows than fit in memory.
///
/// The regression made of them has everything that needs no rows: training error, GCV, GCV₂,
/// CorrGCV, coefficients. Sums are taken relative to the first row, which keeps the digits of data
/// far from zero.
///
/// ```
/// use rmt_estimators::{Criteria, Moments, Options, Table};
///
/// let mut moments = Moments::new(1, 1);
/// for block in [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]] {
///     let y: Vec<f64> = block.iter().map(|x| 1.0 + 2.0 * x).collect();
///     moments.add(Table::column(&block), Table::column(&y))?;
/// }
/// let data = moments.regression(&Options::default())?;
/// let fit = data.coefficients(1e-6)?;
/// assert!((fit.slopes[0] - 2.0).abs() < 1e-5);
/// # Ok::<(), rmt_estimators::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Moments {
    rows: usize,
    /// The first row, features then targets.
    origin: Vec<f64>,
    sums: Vec<f64>,
    xx: Mat<f64>,
    xy: Mat<f64>,
    yy: Vec<f64>,
}

impl Moments {
    /// No rows yet, of `features` and `targets` columns.
    pub fn new(features: usize, targets: usize) -> Self {
        Self {
            rows: 0,
            origin: Vec::new(),
            sums: vec![0.0; features + targets],
            xx: Mat::zeros(features, features),
            xy: Mat::zeros(features, targets),
            yy: vec![0.0; targets],
        }
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a block of rows.
    ///
    /// # Errors
    /// Another number of columns, tables of different length, entries that are not finite or whose
    /// squares are not (rows are counted from the start of the block).
    pub fn add(&mut self, x: Table<'_>, y: Table<'_>) -> Result<()> {
        let (p, q) = (self.xx.nrows(), self.yy.len());
        for (what, found, expected) in
            [("x", x.columns(), p), ("y", y.columns(), q), ("rows of y", y.rows(), x.rows())]
        {
            if found != expected {
                return Err(Error::Length { what, found, expected });
            }
        }
        x.check("x")?;
        y.check("y")?;
        for (what, table) in [("x", x), ("y", y)] {
            if let Some((column, size)) = table.beyond(*SQUARED.end()) {
                return Err(Error::Scale { what, column, size });
            }
        }
        if x.rows() == 0 {
            return Ok(());
        }
        if self.origin.is_empty() {
            self.origin = (0..p).map(|j| x.at(0, j)).chain((0..q).map(|j| y.at(0, j))).collect();
        }
        let origin = &self.origin;
        let xs = Mat::from_fn(x.rows(), p, |i, j| x.at(i, j) - origin[j]);
        let ys = Mat::from_fn(x.rows(), q, |i, j| y.at(i, j) - origin[p + j]);
        for (j, sum) in self.sums.iter_mut().enumerate() {
            let column = if j < p { xs.col_as_slice(j) } else { ys.col_as_slice(j - p) };
            *sum += column.iter().sum::<f64>();
        }
        let add = |out: &mut Mat<f64>, b: MatRef<'_, f64>| {
            let par = faer::get_global_parallelism();
            matmul(out.as_mut(), Accum::Add, xs.transpose(), b, 1.0, par);
        };
        add(&mut self.xx, xs.as_ref());
        add(&mut self.xy, ys.as_ref());
        for (j, yy) in self.yy.iter_mut().enumerate() {
            *yy += ys.col(j).squared_norm_l2();
        }
        self.rows += x.rows();
        Ok(())
    }

    /// The regression of all rows added.
    ///
    /// # Errors
    /// Not more rows than features (hold the rows then), row weights, constant features with
    /// `standardize`, features without variance.
    pub fn regression(&self, options: &Options) -> Result<Regression> {
        let (n, p, q) = (self.rows, self.xx.nrows(), self.yy.len());
        if p == 0 || q == 0 {
            return Err(Error::Empty { what: if p == 0 { "x" } else { "y" } });
        }
        if options.weights.is_some() {
            return Err(Error::RowsNeeded { what: "row weights" });
        }
        let needed = p + 1 + usize::from(options.intercept);
        if n < needed {
            return Err(Error::TooFewRows { rows: n, needed });
        }
        let count = n as f64;
        // Means relative to the origin; without an intercept the origin itself is the shift.
        let shift: Vec<f64> = if options.intercept {
            self.sums.iter().map(|s| s / count).collect()
        } else {
            self.origin.iter().map(|o| -o).collect()
        };
        // Σ(a − ā)(b − b̄) = Σab − n ā b̄; about −origin: Σ(a + o)(b + o′).
        let about = |sum: f64, i: usize, j: usize| {
            sum - self.sums[i] * shift[j] - self.sums[j] * shift[i] + count * shift[i] * shift[j]
        };
        let mut gram = Mat::from_fn(p, p, |i, j| about(self.xx[(i, j)], i, j) / count);
        let mut xty = Mat::from_fn(p, q, |i, j| about(self.xy[(i, j)], i, p + j));
        let variance: Vec<f64> =
            (0..q).map(|j| about(self.yy[j], p + j, p + j).max(0.0) / count).collect();
        let mut x_scale = vec![1.0; p];
        if options.standardize {
            for (j, scale) in x_scale.iter_mut().enumerate() {
                *scale = gram[(j, j)].max(0.0).sqrt();
                let size = (self.xx[(j, j)] / count).sqrt();
                if *scale <= 1e-12 * size || *scale == 0.0 {
                    return Err(Error::ConstantFeature { column: j, value: self.origin[j] });
                }
            }
            for j in 0..p {
                for i in 0..p {
                    gram[(i, j)] /= x_scale[i] * x_scale[j];
                }
                for t in 0..q {
                    xty[(j, t)] /= x_scale[j];
                }
            }
        }
        let mean = |j: usize| if options.intercept { self.origin[j] + shift[j] } else { 0.0 };
        let data = Prepared {
            rows: n,
            x: Mat::zeros(0, p),
            y: Mat::zeros(0, q),
            variance,
            x_mean: (0..p).map(mean).collect(),
            x_scale,
            y_mean: (p..p + q).map(mean).collect(),
            direction: options.intercept.then(Vec::new),
            root_weights: None,
        };
        let decomposition = Decomposition::moments(&gram, xty, &data)?;
        Ok(Regression::from_parts(data, decomposition))
    }
}
