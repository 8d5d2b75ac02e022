//! Simulated traffic: looks at two versions.

use tagship_domain::analysis::Share;
use tagship_stats::{binomial, random::Random};

/// How a rollout's traffic behaves.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    /// Requests of both versions in a look.
    pub(crate) requests: u64,
    /// The candidate's share of them, by the rollout's progress from 0 to 1.
    pub(crate) weight: fn(f64) -> f64,
    /// Stable's failure share, by progress.
    pub(crate) baseline: fn(f64) -> f64,
    /// The candidate's failure share over stable's.
    pub(crate) ratio: f64,
    /// What is added to the candidate's failure share.
    pub(crate) added: f64,
    /// Coefficient of variation of each version's failure share from look to look.
    pub(crate) noise: f64,
    /// Looks of a rollout.
    pub(crate) looks: usize,
}

/// Both versions' counts of one look.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) stable: Share,
    pub(crate) candidate: Share,
    /// Failures of the candidate beyond what stable would have had.
    pub(crate) excess: f64,
}

impl Traffic {
    /// 100 requests a second, looks of 60 s, 30 of them.
    pub(crate) fn of(weight: fn(f64) -> f64, baseline: fn(f64) -> f64) -> Self {
        Self { requests: 6_000, weight, baseline, ratio: 1.0, added: 0.0, noise: 0.0, looks: 30 }
    }

    /// The look at a position.
    pub(crate) fn look(&self, at: usize, random: &mut Random) -> Look {
        let progress = at as f64 / self.looks as f64;
        let base = (self.baseline)(progress);
        let n1 = binomial::draw(random, self.requests, (self.weight)(progress));
        let n0 = self.requests - n1;
        let t0 = (base * self.factor(random)).min(0.98);
        let t1 = ((base * self.ratio + self.added) * self.factor(random)).min(0.98);
        let stable = Share { n: n0, bad: binomial::draw(random, n0, t0) };
        let candidate = Share { n: n1, bad: binomial::draw(random, n1, t1) };
        Look { stable, candidate, excess: n1 as f64 * (base * self.ratio + self.added - base) }
    }

    /// Log-normal with mean 1.
    fn factor(&self, random: &mut Random) -> f64 {
        if self.noise <= 0.0 {
            return 1.0;
        }
        let sigma = (1.0 + self.noise * self.noise).ln().sqrt();
        (sigma * normal(random) - 0.5 * sigma * sigma).exp()
    }
}

/// A standard normal draw (Box and Muller).
pub(crate) fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}

/// The value that a share of the sorted values does not exceed.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        n => sorted[((n - 1) as f64 * share).round() as usize],
    }
}
