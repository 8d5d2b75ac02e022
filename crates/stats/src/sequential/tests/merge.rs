//! What merged evidence must keep: a mean of at most 1 under any dependence, and the error rate of the whole.

use proptest::prelude::*;
use tagship_domain::evidence::BoundaryEvidence;

use super::{
    super::{
        REJECTS, Speed, boundary,
        merge::{MergeError, Part, merge},
    },
    errors, share,
};
use crate::{binomial::draw, random::Random};

fn part(weight: f64, log: f64) -> Part {
    Part { weight, log }
}

#[test]
fn the_merged_value_is_the_weighted_mean() {
    let merged = merge(&[part(0.25, 40_f64.ln()), part(0.75, 16_f64.ln())]).unwrap();
    assert!((merged.log - 22_f64.ln()).abs() < 1e-12 && merged.strongest == 1);
    assert!(merged.log >= REJECTS.ln());
    // Alone it would have rejected; its part of the error rate is a quarter.
    assert!(merge(&[part(0.25, 40_f64.ln()), part(0.75, 0.0)]).unwrap().log < REJECTS.ln());
    assert!(merge(&[part(0.25, 81_f64.ln()), part(0.75, f64::NEG_INFINITY)]).unwrap().log >= REJECTS.ln());
    let huge = merge(&[part(0.5, 5_000.0), part(0.5, -5_000.0)]).unwrap();
    assert!((huge.log - 5_000.0 + 2_f64.ln()).abs() < 1e-9 && huge.strongest == 0);
    let none = merge(&[part(1.0, f64::NEG_INFINITY), part(0.0, 3.0)]).unwrap();
    assert!(none.log == f64::NEG_INFINITY);
}

#[test]
fn weights_and_evidence_that_are_none_are_refused() {
    assert_eq!(merge(&[]), Err(MergeError::WeightSum(0.0)));
    assert_eq!(merge(&[part(0.5, 1.0)]), Err(MergeError::WeightSum(0.5)));
    assert_eq!(merge(&[part(1.0, 1.0), part(0.5, 1.0)]), Err(MergeError::WeightSum(1.5)));
    assert_eq!(merge(&[part(1.5, 1.0), part(-0.5, 1.0)]), Err(MergeError::Weight(0)));
    assert_eq!(merge(&[part(1.0, 1.0), part(f64::NAN, 1.0)]), Err(MergeError::Weight(1)));
    assert_eq!(merge(&[part(1.0, f64::NAN)]), Err(MergeError::Evidence(0)));
    assert_eq!(merge(&[part(1.0, f64::INFINITY)]), Err(MergeError::Evidence(0)));
    assert!(merge(&[part(1.0 / 3.0, 0.0); 3]).is_ok());
}

/// What may happen, each with its probability and the values that three metrics have then.
fn joint() -> impl Strategy<Value = Vec<(f64, [f64; 3])>> {
    let value = || prop_oneof![Just(0.0), 0.0..1.0_f64, 1.0..1e6_f64];
    prop::collection::vec((0.001..1.0_f64, [value(), value(), value()]), 2..12)
}

fn weights() -> impl Strategy<Value = [f64; 3]> {
    (0.0..1.0_f64, 0.0..1.0_f64).prop_map(|(a, b)| {
        let (low, high) = (a.min(b), a.max(b));
        [low, high - low, 1.0 - high]
    })
}

proptest! {
    /// However the metrics hang together: each is scaled to a mean of exactly 1, and the merged one must have it too.
    #[test]
    fn the_mean_of_merged_evidence_is_at_most_one(joint in joint(), weights in weights()) {
        let whole: f64 = joint.iter().map(|(p, _)| p).sum();
        let mean = |metric: usize| joint.iter().map(|(p, e)| p * e[metric]).sum::<f64>() / whole;
        let means = [mean(0), mean(1), mean(2)];
        prop_assume!(means.iter().all(|mean| *mean > 0.0));
        let merged = joint.iter().map(|(p, e)| {
            let parts = [0, 1, 2].map(|at| part(weights[at], (e[at] / means[at]).ln()));
            p * merge(&parts).unwrap().log.exp()
        });
        let merged = merged.sum::<f64>() / whole;
        prop_assert!(merged <= 1.0 + 1e-9, "{merged}");
    }

    #[test]
    fn merged_evidence_lies_between_the_weakest_and_the_strongest(
        weights in weights(), logs in [-50.0..50.0_f64, -50.0..50.0_f64, -50.0..50.0_f64],
        more in 0.0..10.0_f64,
    ) {
        let of = |logs: [f64; 3]| merge(&[0, 1, 2].map(|at| part(weights[at], logs[at]))).unwrap();
        let merged = of(logs);
        let weakest = logs.into_iter().fold(f64::INFINITY, f64::min);
        let strongest = logs.into_iter().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(weakest - 1e-9 <= merged.log && merged.log <= strongest + 1e-9);
        prop_assert!(of([logs[0] + more, logs[1], logs[2]]).log >= merged.log - 1e-9);
        prop_assert!(merged.log >= logs[merged.strongest] + weights[merged.strongest].ln() - 1e-9);
    }
}

/// How two metrics hang together.
#[derive(Clone, Copy)]
enum Dependence {
    Independent,
    Same,
    /// A request may be bad for one of them only.
    Exclusive,
}

const RATE: f64 = 0.3;

/// Of `n` requests those that are bad for either metric.
fn bad(random: &mut Random, n: u64, dependence: Dependence) -> [u64; 2] {
    let first = draw(random, n, RATE);
    let second = match dependence {
        Dependence::Independent => draw(random, n, RATE),
        Dependence::Same => first,
        Dependence::Exclusive => draw(random, n - first, RATE / (1.0 - RATE)),
    };
    [first, second]
}

/// Whether a rollout of an equally good candidate is ever rolled back: merged, and by any of two metrics on its own.
fn rejected(seed: u64, dependence: Dependence) -> (bool, bool) {
    let mut random = Random::new(seed);
    let mut states = [BoundaryEvidence::default(), BoundaryEvidence::default()];
    let test = errors(Speed::Tempered);
    let (mut whole, mut any) = (false, false);
    for _ in 0..40 {
        let (stable, candidate) = (bad(&mut random, 900, dependence), bad(&mut random, 100, dependence));
        for (at, state) in states.iter_mut().enumerate() {
            boundary::update(state, &test, share(stable[at], 900), share(candidate[at], 100));
        }
        let logs = [0, 1].map(|at| boundary::log_evidence(&states[at], test.speed).rollback);
        whole |= merge(&[part(0.3, logs[0]), part(0.7, logs[1])]).unwrap().log >= REJECTS.ln();
        any |= logs.iter().any(|log| *log >= REJECTS.ln());
    }
    (whole, any)
}

#[test]
fn a_rollout_watched_by_several_metrics_keeps_its_error_rate() {
    for dependence in [Dependence::Independent, Dependence::Same, Dependence::Exclusive] {
        let outcomes: Vec<_> = (0..200).map(|seed| rejected(seed, dependence)).collect();
        let merged = outcomes.iter().filter(|(whole, _)| *whole).count();
        let any = outcomes.iter().filter(|(_, any)| *any).count();
        // 5 % of 200, and three standard deviations of what 200 rollouts can tell.
        assert!(merged <= 19 && merged <= any, "{merged} {any}");
    }
}
