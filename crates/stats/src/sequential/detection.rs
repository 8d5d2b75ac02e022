//! How many requests of the candidate it takes our own tests to see a regression, before a rollout starts.
//!
//! The expected log evidence of one request is its divergence from the nearest null point, as in Wald's floor. What
//! comes on top are the price of looking out for several regressions at once, whole looks, and the cap on a look.

use super::{
    REJECTS,
    alternatives::{Alternatives, GROSS, GROSSLY},
    boundary::{Boundary, nearest_null},
    planner::divergence,
    process::{CAP, CAPPED_PART, GROSS_PART, Speed},
    real,
};

/// A test that is to see a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// How evidence becomes a verdict.
    pub speed: Speed,
    /// Regressions that it looks out for.
    pub alternatives: Alternatives,
    /// How many times worse than stable is tolerated; 1 or more.
    pub tolerance: f64,
    /// The test's part of an error rate that several tests share; 1 where it has all of it.
    pub part: f64,
    /// Over how many bounds evidence is averaged; 1 for all but histograms.
    pub bounds: u64,
    /// Observations of the candidate in one look; absent where the rate of requests is unknown.
    pub per_look: Option<f64>,
}

/// Observations of the candidate, about the median, until it is seen that its failure share is `t1` and not `t0`,
/// where it gets the share `weight` of traffic (0 to 1). Infinite where that is tolerated.
pub fn n_detect(t0: f64, t1: f64, weight: f64, test: &Detection) -> f64 {
    let per_request = |s: f64| {
        let boundary = Boundary { s, d: 0.0 };
        let b0 = nearest_null(boundary, (1.0 - weight) * t0 + weight * t1, weight, t0, t1);
        divergence(t1, s * b0) + (1.0 - weight) / weight * divergence(t0, b0)
    };
    cheapest(t0, t1, test, per_request)
}

/// The same against a fixed bound on the failure share.
pub fn n_detect_fixed(t1: f64, bound: f64, test: &Detection) -> f64 {
    let test = Detection { tolerance: 1.0, ..*test };
    cheapest(bound, t1, &test, |s| divergence(t1, (s * bound).min(1.0 - 1e-9)))
}

fn cheapest(t0: f64, t1: f64, test: &Detection, per_request: impl Fn(f64) -> f64) -> f64 {
    let threshold = REJECTS / test.part;
    let mixed =
        test.alternatives.beyond(test.tolerance).len() * usize::try_from(test.bounds.max(1)).unwrap_or(1);
    let is_worse = |s: f64| t0 > 0.0 && t1 > s * t0 && t1 < 1.0;
    let reaches = |s: f64, threshold: f64, alternatives: usize, cap: Option<f64>| {
        if !is_worse(s) {
            return f64::INFINITY;
        }
        in_looks(threshold.ln() + real(alternatives as u64).ln(), per_request(s), test.per_look, cap)
    };
    match test.speed {
        Speed::Tempered => reaches(test.tolerance, threshold, mixed, None),
        Speed::TwoSpeed => {
            // The cap keeps most of a large look's gain, so that the price of several alternatives is not paid twice.
            let slow = reaches(test.tolerance, threshold / CAPPED_PART, 1, Some(CAP)).max(reaches(
                test.tolerance,
                threshold / CAPPED_PART,
                mixed,
                None,
            ));
            let gross = reaches(test.tolerance.max(GROSSLY), threshold / GROSS_PART, GROSS.len(), None);
            slow.min(gross)
        }
    }
}

/// Observations until `nats` of evidence are there, in whole looks where their size is known.
fn in_looks(nats: f64, per_request: f64, per_look: Option<f64>, cap: Option<f64>) -> f64 {
    let Some(per_look) = per_look.filter(|per_look| *per_look > 0.0) else { return nats / per_request };
    let mean = per_look * per_request;
    let gain = cap.map_or(mean, |cap| capped_mean(mean, cap));
    (nats / gain).ceil().max(1.0) * per_look
}

/// Mean of a look's log evidence when at most `cap` of it counts. A log likelihood ratio is about normal, and its
/// variance is about twice its mean.
fn capped_mean(mean: f64, cap: f64) -> f64 {
    let deviation = (2.0 * mean).sqrt();
    let z = (mean - cap) / deviation;
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    mean - deviation * density - (mean - cap) * crate::normal::cdf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(speed: Speed, per_look: Option<f64>) -> Detection {
        Detection {
            speed,
            alternatives: Alternatives::Errors,
            tolerance: 1.0,
            part: 1.0,
            bounds: 1,
            per_look,
        }
    }

    /// Medians of 2,000 simulated rollouts: stable 1 %, a weight of 10 %, looks of 600 requests of the candidate.
    #[test]
    fn the_forecast_is_near_what_simulations_took() {
        for (speed, t1, least, most) in [
            (Speed::TwoSpeed, 0.02, 2_400.0, 3_600.0),
            (Speed::TwoSpeed, 0.05, 600.0, 1_200.0),
            (Speed::Tempered, 0.02, 1_200.0, 1_800.0),
            (Speed::Tempered, 0.05, 600.0, 600.0),
        ] {
            let n = n_detect(0.01, t1, 0.1, &test(speed, Some(600.0)));
            assert!((least..=most).contains(&n), "{speed:?} {t1}: {n}");
        }
    }

    #[test]
    fn what_is_tolerated_is_never_seen_and_more_traffic_or_fewer_metrics_make_it_cheaper() {
        let tolerant = Detection { tolerance: 2.0, ..test(Speed::Tempered, None) };
        assert!(n_detect(0.01, 0.02, 0.1, &tolerant).is_infinite());
        assert!(n_detect(0.0, 0.02, 0.1, &test(Speed::Tempered, None)).is_infinite());
        assert!(n_detect_fixed(0.01, 0.02, &test(Speed::TwoSpeed, None)).is_infinite());
        let one = test(Speed::Tempered, None);
        let three = Detection { part: 1.0 / 3.0, ..one };
        assert!(n_detect(0.01, 0.02, 0.1, &one) < n_detect(0.01, 0.02, 0.1, &three));
        assert!(n_detect(0.01, 0.02, 0.1, &one) < n_detect(0.01, 0.02, 0.5, &one));
        assert!(n_detect_fixed(0.04, 0.02, &one) < n_detect_fixed(0.03, 0.02, &one));
    }
}
