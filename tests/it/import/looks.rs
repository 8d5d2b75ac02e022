//! Recorded looks, made by a generator with a seed.

/// What a source answers at one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    Number(f64),
    /// One series that is not a number.
    NotANumber,
    /// No series.
    Empty,
    /// No answer.
    Broken,
}

/// The generator `SplitMix64`.
#[derive(Debug, Clone)]
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of several.
    pub(super) fn of<T: Copy>(&mut self, several: &[T]) -> T {
        several[usize::try_from(self.below(several.len() as u64)).unwrap()]
    }

    /// Looks whose share of bad and of unusable answers is drawn first, so that good and bad candidates both occur.
    pub(super) fn looks(
        &mut self,
        count: usize,
        good: &[f64],
        bad: &[f64],
        others: &[Answer],
    ) -> Vec<Answer> {
        let is_bad = self.of(&[0, 5, 20, 40, 80]);
        let is_odd = if others.is_empty() { 0 } else { self.of(&[0, 10, 30]) };
        let mut one = || {
            let drawn = self.below(100);
            if drawn < is_odd {
                self.of(others)
            } else if self.below(100) < is_bad {
                Answer::Number(self.of(bad))
            } else {
                Answer::Number(self.of(good))
            }
        };
        (0..count).map(|_| one()).collect()
    }
}
