//! Who is within a share: at random, or by client.

use sha2::{Digest as _, Sha256};
use tagship_domain::{ModelName, traffic::Weight};

/// A point on the line from 0 up to 100 percent, in steps of 2^-64 of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draw(u64);

impl Draw {
    /// The point of evenly distributed bits.
    pub(super) fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The point of a client of a model: the same on every server and after every restart, and for other models another
    /// one, so that nobody is the first to get every candidate. It does not depend on versions or weights: a share that
    /// grows takes clients in and lets none out.
    pub(super) fn of_client(model: &ModelName, client: &[u8]) -> Self {
        // A line feed stands in no model name.
        let hash = Sha256::new().chain_update(model.as_str()).chain_update("\n").chain_update(client);
        let bytes: [u8; 32] = hash.finalize().into();
        Self(bytes.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// Whether the point lies within the first so many percent of the line.
    pub(super) fn is_within(self, share: Weight) -> bool {
        (u128::from(self.0) * 100) >> 64 < u128::from(share.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(draws: impl Iterator<Item = Draw>, percent: u8) -> usize {
        let share = Weight::percent(percent).unwrap();
        draws.filter(|draw| draw.is_within(share)).count()
    }

    fn clients(model: &str) -> impl Iterator<Item = Draw> {
        let model = ModelName::new(model).unwrap();
        (0..10_000).map(move |client| Draw::of_client(&model, format!("client-{client}").as_bytes()))
    }

    #[test]
    fn both_ends_are_exact() {
        for bits in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            assert!(!Draw(bits).is_within(Weight::NONE) && Draw(bits).is_within(Weight::ALL));
        }
        let one = Weight::percent(1).unwrap();
        assert!(Draw(u64::MAX / 100).is_within(one) && !Draw(u64::MAX / 100 + 1).is_within(one));
    }

    #[test]
    fn clients_are_shared_binomially_and_models_do_not_correlate() {
        for (percent, deviation) in [(1, 9.95), (10, 30.0), (50, 50.0)] {
            #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
            let off = within(clients("churn"), percent) as f64 - 100.0 * f64::from(percent);
            assert!(off.abs() < 6.0 * deviation, "{off} at {percent}%");
        }
        let half = Weight::percent(50).unwrap();
        let both = clients("churn").zip(clients("fraud"));
        let same = both.filter(|(a, b)| a.is_within(half) == b.is_within(half)).count();
        assert!((4_700..5_300).contains(&same), "{same}");
    }

    #[test]
    fn a_client_stays_where_it_is_over_releases_of_this_program() {
        let draw = Draw::of_client(&ModelName::new("churn").unwrap(), b"client-1");
        let bytes: [u8; 32] = Sha256::digest(b"churn\nclient-1").into();
        assert_eq!(draw.0.to_be_bytes(), bytes[..8]);
    }
}
