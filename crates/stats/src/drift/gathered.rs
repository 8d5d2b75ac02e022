//! Numbers as they come, in bounded memory: all of them up to a stated count, beyond it a summary of their ranks.
//!
//! Beyond the count, buffers are taken together two by two and every other value is kept, which stands for twice as many
//! (J. Munro and M. Paterson, "Selection and sorting with limited storage", Theoretical Computer Science 12, 1980; G.
//! Manku, S. Rajagopalan and B. Lindsay, "Approximate medians and other quantiles in one pass and with limited memory",
//! SIGMOD 1998). Nothing is random, and how far ranks are off at most is counted along the way.

use super::sample::Sample;

/// Numbers of a buffer.
const BUFFER: usize = 1 << 17;
/// Buffers that are held while each value stands for itself.
const BUFFERS: usize = 32;
/// Buffers that are held of more numbers.
const SUMMARY: usize = 8;

/// Numbers that are being gathered.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Numbers of a buffer, even.
    size: usize,
    filling: Vec<f64>,
    full: Vec<Buffer>,
    range: Option<(f64, f64)>,
    off: usize,
    /// Which of two values is kept next, so that errors go both ways.
    keeps_upper: bool,
}

/// A full buffer, in any order while each value stands for itself, else ascending.
#[derive(Debug, Clone)]
struct Buffer {
    /// How many numbers each value stands for.
    each: usize,
    values: Vec<f64>,
}

impl Default for Gathered {
    fn default() -> Self {
        Self::with_buffers_of(BUFFER)
    }
}

impl Gathered {
    /// So many numbers are held as they are; of more, ranks are known up to an error that [`Sample::summarised`] states.
    pub const EXACT: usize = BUFFER * BUFFERS;

    fn with_buffers_of(size: usize) -> Self {
        Self { size, filling: vec![], full: vec![], range: None, off: 0, keeps_upper: false }
    }

    /// Takes one more number; one that is not finite is left out.
    pub fn push(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        // Zero has one sign, so that equal values lie together in any order of bits.
        let value = value + 0.0;
        self.filling.push(value);
        if self.filling.len() == self.size {
            self.close();
        }
    }

    fn close(&mut self) {
        let held = if self.off == 0 { BUFFERS } else { SUMMARY };
        if self.full.len() >= held {
            while self.full.len() >= SUMMARY && self.halve() {}
        }
        let values = std::mem::take(&mut self.filling);
        self.full.push(Buffer { each: 1, values });
        self.filling.reserve_exact(self.size);
    }

    /// Takes the two buffers together whose values stand for the fewest numbers; no where no two are alike.
    fn halve(&mut self) -> bool {
        self.full.sort_by_key(|buffer| buffer.each);
        let alike = self.full.windows(2).position(|pair| pair[0].each == pair[1].each);
        let Some(place) = alike else { return false };
        let (one, other) = (self.full.remove(place), self.full.remove(place));
        let each = one.each;
        let mut values = one.values;
        values.extend(other.values);
        values.sort_unstable_by(f64::total_cmp);
        if let (Some(first), Some(last)) = (values.first(), values.last()) {
            let (low, high) = self.range.unwrap_or((*first, *last));
            self.range = Some((low.min(*first), high.max(*last)));
        }
        let kept = values.chunks_exact(2).map(|pair| pair[usize::from(self.keeps_upper)]);
        let values = kept.collect();
        self.keeps_upper = !self.keeps_upper;
        self.off += each;
        self.full.push(Buffer { each: each * 2, values });
        true
    }

    /// The numbers in order.
    #[must_use]
    pub fn sample(mut self) -> Sample {
        if self.off == 0 {
            let mut all = std::mem::take(&mut self.filling);
            all.reserve_exact(self.full.len() * self.size);
            // A buffer at a time goes, so that no number is held twice.
            for buffer in self.full {
                all.extend(buffer.values);
            }
            return Sample::of(all);
        }
        self.full.push(Buffer { each: 1, values: self.filling });
        let mut pairs: Vec<(f64, usize)> = vec![];
        for buffer in self.full {
            pairs.extend(buffer.values.into_iter().map(|value| (value, buffer.each)));
        }
        pairs.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        // The ends are known, whichever values were kept.
        if let (Some((low, high)), [first, .., last]) = (self.range, pairs.as_mut_slice()) {
            first.0 = first.0.min(low);
            last.0 = last.0.max(high);
        }
        Sample::weighted(pairs, self.off)
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, reason = "small counts")]
mod tests {
    use super::*;
    use crate::drift::{kolmogorov_smirnov, wasserstein};

    /// Numbers in no order, each once.
    fn numbers(count: u64) -> impl Iterator<Item = f64> {
        (0..count).map(move |at| (at * 7_919 % count) as f64 / count as f64)
    }

    fn gathered(size: usize, values: impl Iterator<Item = f64>) -> Sample {
        let mut gathered = Gathered::with_buffers_of(size);
        values.for_each(|value| gathered.push(value));
        gathered.sample()
    }

    #[test]
    fn few_numbers_are_all_there() {
        let values = [3.0, f64::NAN, -0.0, f64::INFINITY, 1.0, 0.0, 2.0];
        assert_eq!(gathered(2, values.into_iter()), Sample::of(values.to_vec()));
        assert_eq!(gathered(100, numbers(3299)), Sample::of(numbers(3299).collect()));
        assert_eq!(gathered(100, numbers(3299)).summarised(), None);
    }

    #[test]
    fn ranks_of_many_are_as_exact_as_stated() {
        let (count, size) = (50_021_u64, 100);
        let sample = gathered(size, numbers(count));
        assert_eq!(sample.count() as u64, count, "no number is lost");
        assert!(
            sample.values().len() <= size * (SUMMARY + 1),
            "memory is bounded: {}",
            sample.values().len()
        );
        assert_eq!(sample.range(), Some((0.0, (count - 1) as f64 / count as f64)), "the ends are exact");
        let stated = sample.summarised().unwrap();
        assert!(stated < 0.05, "{stated}");
        let exact = Sample::of(numbers(count).collect());
        let furthest = kolmogorov_smirnov(&exact, &sample).unwrap().statistic;
        assert!(furthest <= stated, "{furthest} is off by more than {stated}");
        assert!(wasserstein(&exact, &sample).unwrap() <= stated);
        assert!((sample.mean() - exact.mean()).abs() < stated);
        assert!((sample.variance() - exact.variance()).abs() < stated);
    }
}
