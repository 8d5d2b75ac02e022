//! ADWIN: a window over the stream that drops its beginning whenever two parts of it have different means.
//!
//! A. Bifet and R. Gavalda, "Learning from time-changing data with adaptive windowing" (SIAM SDM 2007). The window is kept as an
//! exponential histogram: buckets of 2^i values with their sum and their squared distances from their mean, so that its size
//! grows with the logarithm of the number of values. It has no unit: it fits any metric.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    /// Probability of a false alarm at a comparison.
    pub delta: f64,
    /// It compares at every so many values.
    pub clock: u32,
    /// Buckets of a size before two of them become one.
    pub buckets: usize,
    /// Fewest values of a part.
    pub part: u64,
    /// Fewest values of the window.
    pub window: u64,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// Of each size its buckets, the smallest size first, and in it the oldest bucket first.
    rows: Vec<VecDeque<Bucket>>,
    all: Part,
    ticks: u32,
    detected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bucket {
    sum: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

/// Some of the values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Part {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Default for Adwin {
    fn default() -> Self {
        Self { delta: 0.002, clock: 32, buckets: 5, part: 5, window: 10, state: State::default() }
    }
}

impl Detector for Adwin {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    /// It has compared once.
    fn is_ready(&self) -> bool {
        self.state.ticks >= self.clock && self.state.all.count > self.window
    }

    fn take(&mut self, value: f64) -> Signal {
        self.insert(value);
        self.state.ticks += 1;
        let is_due = self.state.ticks.is_multiple_of(self.clock.max(1));
        while is_due && self.state.all.count > self.window && self.is_cut() {
            self.state.detected = true;
            self.drop_oldest();
        }
        if self.state.detected { Signal::Drift } else { Signal::Stable }
    }
}

impl Adwin {
    /// How many values the window holds.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.state.all.count
    }

    /// The mean of the values in the window; NaN where there are none.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.state.all.mean()
    }

    /// The sum of squared distances from the mean in the window.
    #[must_use]
    pub fn squares(&self) -> f64 {
        self.state.all.squares
    }

    fn insert(&mut self, value: f64) {
        let State { rows, all, .. } = &mut self.state;
        if rows.is_empty() {
            rows.push(VecDeque::new());
        }
        rows[0].push_back(Bucket { sum: value, squares: 0.0 });
        if all.count > 0 {
            let before = all.size();
            all.squares += before * (value - all.mean()).powi(2) / (before + 1.0);
        }
        all.count += 1;
        all.sum += value;
        self.compress();
    }

    /// Makes the two oldest buckets of a size one of the next, where there are too many.
    fn compress(&mut self) {
        let rows = &mut self.state.rows;
        let mut row = 0;
        while rows[row].len() > self.buckets {
            let (Some(one), Some(other)) = (rows[row].pop_front(), rows[row].pop_front()) else { return };
            let size = count_of(row);
            let apart = (one.sum / size - other.sum / size).powi(2);
            let squares = one.squares + other.squares + size / 2.0 * apart;
            if row + 1 == rows.len() {
                rows.push(VecDeque::new());
            }
            rows[row + 1].push_back(Bucket { sum: one.sum + other.sum, squares });
            row += 1;
        }
    }

    /// Whether the window can be cut in two parts with different means, tried from its beginning on.
    fn is_cut(&self) -> bool {
        let mut older = Part::default();
        let mut newer = self.state.all;
        for (row, buckets) in self.state.rows.iter().enumerate().rev() {
            for bucket in buckets {
                let count = 1 << row;
                older.count += count;
                older.sum += bucket.sum;
                newer.count -= count;
                newer.sum -= bucket.sum;
                if newer.count >= self.part && older.count >= self.part && self.differ(&older, &newer) {
                    return true;
                }
            }
        }
        false
    }

    fn differ(&self, older: &Part, newer: &Part) -> bool {
        let all = &self.state.all;
        let logarithm = (2.0 * all.size().ln() / self.delta).ln();
        let spare = |part: &Part| 1.0 / size(part.count - self.part + 1);
        let inverse = spare(older) + spare(newer);
        let bound =
            (2.0 * inverse * (all.squares / all.size()) * logarithm).sqrt() + 2.0 / 3.0 * logarithm * inverse;
        (older.mean() - newer.mean()).abs() > bound
    }

    fn drop_oldest(&mut self) {
        let State { rows, all, .. } = &mut self.state;
        let Some(row) = rows.len().checked_sub(1) else { return };
        let Some(bucket) = rows[row].pop_front() else { return };
        if rows[row].is_empty() {
            rows.pop();
        }
        let dropped = count_of(row);
        all.count -= 1 << row;
        all.sum -= bucket.sum;
        let apart = (bucket.sum / dropped - all.mean()).powi(2);
        all.squares -= bucket.squares + dropped * all.size() * apart / (dropped + all.size());
    }
}

impl Part {
    fn size(&self) -> f64 {
        size(self.count)
    }

    fn mean(&self) -> f64 {
        self.sum / self.size()
    }
}

/// How many values a bucket of a row holds.
fn count_of(row: usize) -> f64 {
    size(1 << row)
}

#[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
fn size(count: u64) -> f64 {
    count as f64
}
