//! Simulated rollouts, few enough for every run of the tests; `benches/judges` has the large ones.

use std::collections::BTreeMap;

use tagship_domain::{
    analysis::{Margin, Share},
    evidence::{BoundaryEvidence, BucketEvidence, MultinomialEvidence},
    traffic::Histogram,
};

use super::super::{
    REJECTS, Speed, boundary,
    bucket::{self, BucketTest},
    interval, multinomial,
};
use super::errors;
use crate::{binomial::draw, random::Random};

/// Position of the first look at which evidence reaches 20, against and for the candidate.
fn decided(
    speed: Speed,
    seed: u64,
    looks: usize,
    rates: impl Fn(usize) -> (f64, f64, f64),
) -> (Option<usize>, Option<usize>) {
    let mut random = Random::new(seed);
    let mut state = BoundaryEvidence::default();
    let (mut bad, mut good) = (None, None);
    for look in 0..looks {
        let (weight, t0, t1) = rates(look);
        let n1 = draw(&mut random, 6_000, weight);
        let stable = Share { n: 6_000 - n1, bad: draw(&mut random, 6_000 - n1, t0) };
        let candidate = Share { n: n1, bad: draw(&mut random, n1, t1) };
        boundary::update(&mut state, &errors(speed), stable, candidate);
        let log = boundary::log_evidence(&state, speed);
        bad = bad.or((log.rollback >= REJECTS.ln()).then_some(look));
        good = good.or((log.promotion >= REJECTS.ln()).then_some(look));
    }
    (bad, good)
}

#[test]
fn a_candidate_that_is_as_good_is_seldom_rolled_back_however_often_one_looks() {
    for speed in [Speed::Tempered, Speed::TwoSpeed] {
        let failed = (0..100).filter(|seed| decided(speed, *seed, 100, |_| (0.1, 0.01, 0.01)).0.is_some());
        assert!(failed.count() <= 6, "{speed:?}");
    }
}

#[test]
fn a_shared_baseline_that_rises_while_weights_rise_is_not_held_against_the_candidate() {
    let ramp = |look: usize| {
        let rate = [0.003, 0.008, 0.013, 0.02][look / 8];
        ([0.05, 0.1, 0.25, 0.5][look / 8], rate, rate)
    };
    for speed in [Speed::Tempered, Speed::TwoSpeed] {
        let failed = (0..100).filter(|seed| decided(speed, *seed, 32, ramp).0.is_some());
        assert!(failed.count() <= 6, "{speed:?}");
    }
}

#[test]
fn a_doubled_failure_share_is_found_within_a_few_looks_and_never_promoted() {
    let outcomes: Vec<_> =
        (0..100).map(|seed| decided(Speed::TwoSpeed, seed, 30, |_| (0.1, 0.01, 0.02))).collect();
    assert!(outcomes.iter().all(|(bad, _)| bad.is_some()));
    let mut looks: Vec<_> = outcomes.iter().filter_map(|(bad, _)| *bad).collect();
    looks.sort_unstable();
    assert!(looks[50] < 6, "{looks:?}");
    let promoted_first = outcomes.iter().filter(|(bad, good)| good.is_some_and(|good| Some(good) <= *bad));
    assert!(promoted_first.count() <= 2);
}

#[test]
fn a_gross_failure_is_found_in_the_first_looks() {
    for seed in 0..50 {
        let (bad, _) = decided(Speed::TwoSpeed, seed, 5, |_| (0.1, 0.01, 0.10));
        assert!(bad.is_some_and(|look| look <= 1), "{bad:?}");
    }
}

#[test]
fn a_good_candidate_is_promoted_and_one_at_the_margin_is_not() {
    let promoted = |t1: f64| {
        (0..100).filter(|seed| decided(Speed::TwoSpeed, *seed, 30, |_| (0.1, 0.01, t1)).1.is_some()).count()
    };
    assert!(promoted(0.01) >= 95);
    assert!(promoted(0.015) <= 8);
}

#[test]
fn a_slower_tail_is_found_and_does_not_count_as_good() {
    let bounds = [50.0, 100.0, 250.0, 500.0];
    let look = |n: u64, shares: [f64; 5], random: &mut Random| {
        let counts = shares.iter().map(|share| draw(random, n, *share)).collect();
        Histogram { bounds: bounds.to_vec(), counts }
    };
    let same = [0.5, 0.34, 0.14, 0.015, 0.005];
    for (candidate, is_worse) in [(same, false), ([0.5, 0.34, 0.12, 0.025, 0.015], true)] {
        let mut random = Random::new(9);
        let mut state = BucketEvidence::default();
        for _ in 0..30 {
            let test = BucketTest { tolerance: 1.0, margin: Margin::Ratio(1.5) };
            let (zero, one) = (look(5_400, same, &mut random), look(600, candidate, &mut random));
            bucket::update(&mut state, &test, &zero, &one).unwrap();
        }
        let log = bucket::log_evidence(&state);
        assert_eq!(log.rollback >= REJECTS.ln(), is_worse, "{log:?}");
        assert_eq!(log.promotion >= REJECTS.ln(), !is_worse, "{log:?}");
        // 2 % of stable's answers are slower than 250 ms, 0.5 % than 500 ms.
        assert_eq!(state.tail.map(|at| state.bounds[at] >= 250.0), Some(true));
    }
}

#[test]
fn drift_needs_more_than_one_look_and_then_another_distribution() {
    let window = |n: u64, shares: [f64; 3], random: &mut Random| -> BTreeMap<String, u64> {
        ["a", "b", "c"]
            .iter()
            .zip(shares)
            .map(|(name, share)| ((*name).to_owned(), draw(random, n, share)))
            .collect()
    };
    let stable = [0.5, 0.3, 0.2];
    for (candidate, drifts) in [(stable, false), ([0.4, 0.3, 0.3], true)] {
        let mut random = Random::new(5);
        let mut state = MultinomialEvidence::default();
        let mut log = vec![];
        for _ in 0..10 {
            multinomial::update(
                &mut state,
                &window(5_400, stable, &mut random),
                &window(600, candidate, &mut random),
            );
            log.push(multinomial::log_evidence(&state));
        }
        assert!(log[0].abs() < 1e-15);
        assert_eq!(log.iter().any(|log| *log >= REJECTS.ln()), drifts, "{log:?}");
    }
}

#[test]
fn a_class_that_nobody_saw_before_adds_no_evidence_by_being_new() {
    let window = |name: &str, n: u64| BTreeMap::from([(name.to_owned(), n)]);
    let mut state = MultinomialEvidence::default();
    multinomial::update(&mut state, &window("old", 900), &window("old", 100));
    multinomial::update(&mut state, &window("new", 900), &window("new", 100));
    assert!(multinomial::log_evidence(&state) <= 0.0);
    assert_eq!(state.classes["new"], [900, 100]);
}

#[test]
fn the_interval_of_a_share_seldom_misses_the_truth_at_any_look() {
    let missed = (0..100).filter(|seed| {
        let mut random = Random::new(*seed);
        let (mut bad, mut n) = (0, 0);
        (0..100).any(|_| {
            n += 50;
            bad += draw(&mut random, 50, 0.04);
            !interval::share(bad, n, 0.95).contains(0.04)
        })
    });
    assert!(missed.count() <= 6);
}
