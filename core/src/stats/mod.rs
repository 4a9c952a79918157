//! Statistics: numbers only, without knowing what was measured.
//!
//! Nothing here reads a clock, a file or a random number. The same numbers give the same answer,
//! so a verdict can be replayed from its record. Two types put the pieces together for callers:
//!
//! - [`Percentile`]: a limit on a quantile, from the values of one process after another;
//! - [`Contrast`]: a limit on a ratio, from one role-swapped pair after another.
//!
//! Both answer the same questions after every process: how strong is the evidence to fail and to pass,
//! between which values does the truth lie, and which violation would this run have detected.
//!
//! ```
//! use perf_budget_core::stats::{Percentile, threshold};
//!
//! // A p90 of at most 10, with a tolerance of 10 %, in blocks of 20 operations.
//! let mut p90 = Percentile::new(0.9, 10.0, 11.0, 20);
//! let (fail_at, pass_at) = (threshold(0.01, 1), threshold(0.05, 1));
//! let mut processes = 0;
//! while p90.log_fail() < fail_at && p90.log_pass() < pass_at {
//!     p90.add_process(&[3.0, 2.5, 4.0, 3.5, 9.0])?;
//!     processes += 1;
//! }
//! assert!(p90.log_pass() >= pass_at);
//! assert_eq!(processes, 7);
//! // Each end of the interval has half its level, so at twice the level of a side both agree.
//! assert!(p90.interval(2.0 * 0.05).high < 11.0);
//! # Ok::<(), perf_budget_core::stats::NotFinite>(())
//! ```
//!
//! # The files, and where their formulas come from
//!
//! | file | what | source |
//! |---|---|---|
//! | `betting` | log e-value `ln Σ w Π(1 + stake·score)`, the kernel; `threshold`, its `ln(m/alpha)` | Ville 1939 (1/alpha at any time); Waudby-Smith & Ramdas 2024 (betting on bounded means); Robbins 1970 (mixtures); Bonferroni on e-values: Vovk & Wang 2021 |
//! | `exceedance` | likelihood ratios of counts `(n, k)` against a rate | Wald 1945 (the ratio), as a mixture: Robbins 1970 |
//! | `blocks` | `1 + lambda·(Y - p0)` on shares of blocks; `variance_inflation` | Waudby-Smith & Ramdas 2024; Wald 1944 (cut blocks); Pearson's dispersion: McCullagh & Nelder 1989, section 4.5 |
//! | `paired` | `tanh(1.2(z - theta0)/scale)`, whose scale is the geometric mean of magnitudes, on role-swapped log-ratios | Vovk & Wang 2022 (e-tests of symmetry); Fisher 1935 (the coin); Huber 1964 (the middle as an M-estimate) |
//! | `order` | quantiles and their distribution-free bounds | Hyndman & Fan 1996, definition 2; Thompson 1936; David & Nagaraja 2003, section 7.1 |
//! | `sequence` | confidence sequences, by inverting the tests | Howard & Ramdas 2022; Darling & Robbins 1967 |
//! | `spread` | how much processes differ: the interval of a quantile, and whether a limit leaves room for it | generalized confidence intervals: Weerahandi 1993; of quantiles of two levels: Krishnamoorthy & Mathew 2009; trimmed means: Tukey & McLaughlin 1963; of a mean: Student 1908 |
//! | `share` | a limit on a share: `blocks` to fail, `exceedance` to pass, an interval from both | as for those |
//! | `detect` | the minimum detectable effect: the smallest violation that is detected with 95 % | binomial tails exactly; otherwise the growth rate of a bet: Kelly 1956 |
//! | `binomial` | tails, and the interval of a rate | Clopper & Pearson 1934 |
//! | `slope` | the exponent of growth, on a log-log scale; growth that outliers do not tilt | Legendre 1805; Goldsmith, Aiken & Wilkerson 2007; Theil 1950, Sen 1968 |
//! | `summary`, `histogram` | descriptions for reports, which decide nothing | mad: Hampel 1974 |
//! | `normal` | the normal distribution | its series; the continued fraction of Laplace 1805 |
//! | `sample`, `mixture`, `bisection` | the tools of the other files | |
//!
//! Ville, *Étude critique de la notion de collectif* (1939). Waudby-Smith & Ramdas, "Estimating means
//! of bounded random variables by betting", JRSS-B 86 (2024). Vovk & Wang, "E-values: calibration,
//! combination and applications", Ann. Stat. 49 (2021), and "Nonparametric e-tests of symmetry",
//! arXiv 2208.08925 (2022). Howard & Ramdas, "Sequential estimation of quantiles with applications to
//! A/B testing and best-arm identification", Bernoulli 28 (2022). Hyndman & Fan, "Sample quantiles in
//! statistical packages", Am. Stat. 50 (1996). Weerahandi, "Generalized confidence intervals", JASA 88
//! (1993). Krishnamoorthy & Mathew, *Statistical Tolerance Regions* (2009). Tukey & McLaughlin, "Less
//! vulnerable confidence and significance procedures for location", Sankhya A 25 (1963). Clopper & Pearson, Biometrika 26 (1934). Goldsmith,
//! Aiken & Wilkerson, "Measuring empirical computational complexity", ESEC/FSE (2007).

mod betting;
pub mod binomial;
mod bisection;
pub mod blocks;
mod contrast;
pub mod detect;
mod exceedance;
mod histogram;
mod interval;
mod mixture;
mod normal;
pub mod order;
mod paired;
mod percentile;
mod sample;
pub mod sequence;
mod share;
mod slope;
mod spread;
mod summary;
#[cfg(test)]
pub(crate) mod tests;

pub use betting::{Betting, STAKES, threshold};
pub use binomial::clopper_pearson;
pub use blocks::Blocks;
pub use contrast::Contrast;
pub use exceedance::Exceedance;
pub use histogram::{Bin, histogram, sort_into};
pub use interval::Interval;
pub use paired::Paired;
pub use percentile::Percentile;
pub use sample::{NotFinite, Sample};
pub use share::{FEWEST_TO_PASS, Share};
pub use slope::{PowerLaw, theil_sen};
pub use spread::Spread;
pub use summary::Summary;

/// The claim that evidence is gathered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The truth is above the threshold.
    Fail,
    /// The truth is below it.
    Pass,
}
