//! The test of Epps and Singleton: two samples have one distribution where their characteristic functions agree.
//!
//! T. Epps and K. Singleton, "An omnibus test for the two-sample problem using the empirical characteristic function"
//! (Journal of Statistical Computation and Simulation 26, 1986), at the points 0.4 and 0.8 in units of half the pooled
//! interquartile range; as `scipy.stats.epps_singleton_2samp`.

use super::{
    Tested,
    sample::{Sample, real},
};
use crate::{gamma::chi_squared_survival, quantile::quantile};

/// Where the characteristic functions are compared.
const POINTS: [f64; 2] = [0.4, 0.8];
/// Real and imaginary part at each point.
const PARTS: usize = 4;
/// Fewest values of a sample.
const FEWEST: usize = 5;
/// Below so many values the statistic is corrected.
const SMALL: usize = 25;
/// Directions whose variance is smaller than this share of the largest carry nothing.
const NO_VARIANCE: f64 = 4e-15;

type Vector = [f64; PARTS];
type Matrix = [Vector; PARTS];

/// The statistic W and its p-value; `None` where a sample has fewer than five values or the middle half of all values are the
/// same, in which case it does not apply; nor where values stand for several.
#[must_use]
pub fn epps_singleton(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (reference.count(), current.count());
    let is_summary = reference.summarised().or(current.summarised()).is_some();
    if n.min(m) < FEWEST || is_summary {
        return None;
    }
    let mut all = [reference.values(), current.values()].concat();
    all.sort_unstable_by(f64::total_cmp);
    let spread = quantile(&all, 0.75)? - quantile(&all, 0.25)?;
    if spread <= 0.0 {
        return None;
    }
    let points = POINTS.map(|point| point / (spread / 2.0));
    let (one, other) = (Moments::of(reference, points), Moments::of(current, points));
    let total = real(n + m);
    let (of_one, of_other) = (total / real(n), total / real(m));
    let cell = |i: usize, j: usize| of_one * one.covariance[i][j] + of_other * other.covariance[i][j];
    let covariance = std::array::from_fn(|i| std::array::from_fn(|j| cell(i, j)));
    let difference: Vector = std::array::from_fn(|i| one.mean[i] - other.mean[i]);
    let (form, rank) = inverse_form(covariance, difference);
    let mut statistic = total * form;
    if n.max(m) < SMALL {
        let sizes = real(n).powf(-1.7) + real(m).powf(-1.7);
        statistic /= 1.0 + total.powf(-0.45) + 10.1 * sizes;
    }
    Some(Tested { statistic, p_value: chi_squared_survival(statistic, rank) })
}

/// Mean and covariance (with the count as divisor) of the parts of the characteristic function.
struct Moments {
    mean: Vector,
    covariance: Matrix,
}

impl Moments {
    fn of(sample: &Sample, points: [f64; 2]) -> Self {
        let parts = |x: &f64| {
            let [first, second] = points.map(|point| (point * x).sin_cos());
            [first.1, second.1, first.0, second.0]
        };
        let count = real(sample.count());
        let mut mean = [0.0; PARTS];
        for value in sample.values() {
            for (sum, part) in mean.iter_mut().zip(parts(value)) {
                *sum += part / count;
            }
        }
        let mut covariance = [[0.0; PARTS]; PARTS];
        for value in sample.values() {
            let parts = parts(value);
            let away: Vector = std::array::from_fn(|i| parts[i] - mean[i]);
            for (row, one) in covariance.iter_mut().zip(away) {
                for (cell, other) in row.iter_mut().zip(away) {
                    *cell += one * other / count;
                }
            }
        }
        Self { mean, covariance }
    }
}

/// `d' M+ d` with the pseudo-inverse of a symmetric matrix, and its rank, by the method of Jacobi: rotations until only the
/// diagonal is left.
fn inverse_form(mut matrix: Matrix, mut vector: Vector) -> (f64, u32) {
    for _sweep in 0..30 {
        for p in 0..PARTS {
            for q in p + 1..PARTS {
                rotate(&mut matrix, &mut vector, p, q);
            }
        }
    }
    let values: Vector = std::array::from_fn(|i| matrix[i][i]);
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (mut form, mut rank) = (0.0, 0);
    for (value, part) in values.iter().zip(vector) {
        if value.abs() > largest * NO_VARIANCE {
            form += part * part / value;
            rank += 1;
        }
    }
    (form, rank)
}

/// Turns the plane of two axes so that nothing is left between them.
fn rotate(matrix: &mut Matrix, vector: &mut Vector, p: usize, q: usize) {
    if matrix[p][q].abs() <= 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for row in matrix.iter_mut() {
        let (one, other) = (row[p], row[q]);
        row[p] = cosine * one - sine * other;
        row[q] = sine * one + cosine * other;
    }
    let (one, other) = (matrix[p], matrix[q]);
    matrix[p] = std::array::from_fn(|column| cosine * one[column] - sine * other[column]);
    matrix[q] = std::array::from_fn(|column| sine * one[column] + cosine * other[column]);
    let (one, other) = (vector[p], vector[q]);
    vector[p] = cosine * one - sine * other;
    vector[q] = sine * one + cosine * other;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagonal_form_is_a_sum() {
        let mut matrix = [[0.0; PARTS]; PARTS];
        for (i, value) in [4.0, 2.0, 0.0, 1.0].into_iter().enumerate() {
            matrix[i][i] = value;
        }
        let (form, rank) = inverse_form(matrix, [2.0, 2.0, 9.0, 3.0]);
        assert!((form - 12.0).abs() < 1e-12 && rank == 3);
    }

    #[test]
    fn rotations_keep_the_form() {
        // M = A A' for a triangular A, so that the form is the square of the solution of A x = d.
        let a = [[2.0, 0.0, 0.0, 0.0], [1.0, 3.0, 0.0, 0.0], [-1.0, 0.5, 1.0, 0.0], [4.0, 1.0, 2.0, 0.5]];
        let matrix: Matrix =
            std::array::from_fn(|i| std::array::from_fn(|j| (0..PARTS).map(|k| a[i][k] * a[j][k]).sum()));
        let x = [1.0, -2.0, 0.5, 3.0];
        let d: Vector = std::array::from_fn(|i| (0..PARTS).map(|k| a[i][k] * x[k]).sum());
        let (form, rank) = inverse_form(matrix, d);
        assert!((form - 14.25).abs() < 1e-9 && rank == 4, "{form}");
    }

    #[test]
    fn what_does_not_apply_has_no_answer() {
        let (constant, few) = (Sample::of(vec![3.0; 40]), Sample::of(vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(epps_singleton(&constant, &constant), None);
        assert_eq!(epps_singleton(&few, &few), None);
    }
}
