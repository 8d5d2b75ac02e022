//! What lies in the journal between looks: small, and the same as what was in memory.

use tagship_domain::{
    Timestamp,
    analysis::{Margin, Share},
    evidence::{
        BoundaryEvidence, BucketEvidence, Evidence, MultinomialEvidence, PairedEvidence, Pairs, Test,
    },
    traffic::Histogram,
};

use super::super::{
    Speed, boundary,
    bucket::{self, BucketTest, MAX_BOUNDS, OtherBounds},
    multinomial::{self, MAX_CLASSES},
    paired::{self, PairedTest},
};
use super::errors;
use crate::{binomial, random::Random};

fn written(test: Test) -> String {
    let evidence = Evidence {
        since: Timestamp::LATEST,
        end: Timestamp::LATEST,
        strongest: 123.456_789,
        test: Some(test),
    };
    let text = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence, "{text}");
    text
}

/// The state as another run reads it.
fn reread(state: &BoundaryEvidence) -> BoundaryEvidence {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

fn histogram(bounds: &[f64], n: u64, random: &mut Random) -> Histogram {
    let counts = (0..=bounds.len()).map(|_| binomial::draw(random, n, 0.07)).collect();
    Histogram { bounds: bounds.to_vec(), counts }
}

#[test]
fn a_run_that_goes_on_from_the_journal_has_the_same_evidence_as_one_that_never_stopped() {
    let mut random = Random::new(3);
    let (mut kept, mut journaled) = (BoundaryEvidence::default(), BoundaryEvidence::default());
    let mut test = errors(Speed::TwoSpeed);
    test.margin = Margin::Absolute(0.013);
    for _ in 0..200 {
        let stable = Share { n: 5_400, bad: binomial::draw(&mut random, 5_400, 0.013) };
        let candidate = Share { n: 600, bad: binomial::draw(&mut random, 600, 0.017) };
        boundary::update(&mut kept, &test, stable, candidate);
        boundary::update(&mut journaled, &test, stable, candidate);
        journaled = reread(&journaled);
        assert_eq!(kept, journaled);
    }
}

#[test]
fn the_state_of_shares_and_pairs_is_below_a_kilobyte_however_long_it_runs() {
    let mut random = Random::new(1);
    let (mut shares, mut pairs) = (BoundaryEvidence::default(), PairedEvidence::default());
    for _ in 0..1_000 {
        let stable = Share { n: 9_000_000, bad: binomial::draw(&mut random, 9_000_000, 0.031) };
        let candidate = Share { n: 1_000_000, bad: binomial::draw(&mut random, 1_000_000, 0.029) };
        boundary::update(&mut shares, &errors(Speed::TwoSpeed), stable, candidate);
        let window = Pairs { n: 1_000_000, only_stable_wrong: 31_234, only_candidate_wrong: 30_987 };
        let settings = PairedTest { tolerance: 1.0, margin: Margin::Absolute(0.02) };
        paired::update(&mut pairs, &settings, window);
    }
    for text in [written(Test::Boundary(shares)), written(Test::Paired(pairs))] {
        assert!(text.len() <= 1_024, "{} bytes: {text}", text.len());
    }
}

#[test]
fn the_state_of_a_histogram_is_below_two_kilobytes_however_many_bounds_it_has() {
    let bounds: Vec<f64> =
        (0..40_i32).map(|at| 1.3_f64.powi(at)).map(|ms| (ms * 1e3).round() / 1e3).collect();
    let mut random = Random::new(2);
    let mut state = BucketEvidence::default();
    for _ in 0..1_000 {
        let (stable, candidate) =
            (histogram(&bounds, 900_000, &mut random), histogram(&bounds, 100_000, &mut random));
        let test = BucketTest { tolerance: 1.0, margin: Margin::Ratio(1.5) };
        bucket::update(&mut state, &test, &stable, &candidate).unwrap();
    }
    assert_eq!(state.bounds.len(), MAX_BOUNDS);
    let text = written(Test::Buckets(state));
    assert!(text.len() <= 2_048, "{} bytes: {text}", text.len());
}

#[test]
fn the_state_of_classes_is_below_a_kilobyte_however_many_a_model_predicts() {
    let mut state = MultinomialEvidence::default();
    let classes = |scale: u64| {
        (0..200).map(|at| (format!("a rather long label {at:04}"), 1_000_000 * scale + at)).collect()
    };
    for _ in 0..50 {
        multinomial::update(&mut state, &classes(9), &classes(1));
    }
    assert_eq!(state.classes.len(), MAX_CLASSES);
    assert!(multinomial::distance(&state).unwrap() < 0.01);
    let text = written(Test::Multinomial(state));
    assert!(text.len() <= 1_024, "{} bytes: {text}", text.len());
}

#[test]
fn a_histogram_with_other_bounds_is_refused_and_changes_nothing() {
    let mut random = Random::new(4);
    let test = BucketTest { tolerance: 1.0, margin: Margin::Ratio(1.5) };
    let mut state = BucketEvidence::default();
    let look = |bounds: &[f64], random: &mut Random| {
        (histogram(bounds, 9_000, random), histogram(bounds, 1_000, random))
    };
    let (stable, candidate) = look(&[5.0, 10.0], &mut random);
    bucket::update(&mut state, &test, &stable, &candidate).unwrap();
    let before = state.clone();
    let (other, _) = look(&[5.0, 20.0], &mut random);
    assert_eq!(bucket::update(&mut state, &test, &other, &other), Err(OtherBounds));
    assert_eq!(bucket::update(&mut state, &test, &stable, &other), Err(OtherBounds));
    assert_eq!(state, before);
}
