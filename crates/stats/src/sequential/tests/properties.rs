//! What evidence must do whatever the counts are.

use proptest::prelude::*;
use tagship_domain::{
    analysis::{Margin, Share},
    evidence::{BoundaryEvidence, FixedEvidence, PairedEvidence, Pairs},
};

use super::super::{
    Alternatives, LogEvidence, Speed,
    boundary::{self, BoundaryTest},
    fixed::{self, FixedTest, FixedWindow},
    paired::{self, PairedTest},
};
use super::{errors, share};

fn counts() -> impl Strategy<Value = Share> {
    (1_u64..20_000).prop_flat_map(|n| (0..=n).prop_map(move |bad| Share { n, bad }))
}

fn tests() -> impl Strategy<Value = BoundaryTest> {
    let speed = prop_oneof![Just(Speed::Tempered), Just(Speed::TwoSpeed)];
    let alternatives = prop_oneof![Just(Alternatives::Errors), Just(Alternatives::Accuracy)];
    let margin =
        prop_oneof![(1.05..4.0_f64).prop_map(Margin::Ratio), (0.001..0.3_f64).prop_map(Margin::Absolute)];
    (speed, alternatives, 1.0..4.0_f64, margin).prop_map(|(speed, alternatives, tolerance, margin)| {
        BoundaryTest { speed, alternatives, tolerance, margin }
    })
}

fn after(test: &BoundaryTest, windows: &[(Share, Share)]) -> LogEvidence {
    let mut state = BoundaryEvidence::default();
    for (stable, candidate) in windows {
        boundary::update(&mut state, test, *stable, *candidate);
    }
    boundary::log_evidence(&state, test.speed)
}

proptest! {
    #[test]
    fn one_more_failure_of_the_candidate_never_speaks_for_it(
        test in tests(), earlier in (counts(), counts()), stable in counts(), candidate in counts(),
    ) {
        prop_assume!(candidate.bad < candidate.n);
        let fewer = after(&test, &[earlier, (stable, candidate)]);
        let more = after(&test, &[earlier, (stable, Share { bad: candidate.bad + 1, ..candidate })]);
        prop_assert!(more.rollback >= fewer.rollback - 1e-5, "{fewer:?} {more:?}");
        prop_assert!(more.promotion <= fewer.promotion + 1e-5, "{fewer:?} {more:?}");
    }

    #[test]
    fn one_more_failure_of_stable_never_speaks_against_the_candidate(
        test in tests(), earlier in (counts(), counts()), stable in counts(), candidate in counts(),
    ) {
        prop_assume!(stable.bad < stable.n);
        let fewer = after(&test, &[earlier, (stable, candidate)]);
        let more = after(&test, &[earlier, (Share { bad: stable.bad + 1, ..stable }, candidate)]);
        prop_assert!(more.rollback <= fewer.rollback + 1e-5, "{fewer:?} {more:?}");
        prop_assert!(more.promotion >= fewer.promotion - 1e-5, "{fewer:?} {more:?}");
    }

    #[test]
    fn evidence_is_always_a_number(
        test in tests(), windows in prop::collection::vec((counts(), counts()), 1..8),
    ) {
        let log = after(&test, &windows);
        prop_assert!(log.rollback.is_finite() && log.promotion.is_finite(), "{log:?}");
    }

    #[test]
    fn a_window_without_one_of_the_versions_adds_nothing(test in tests(), one in (counts(), counts())) {
        let with_gaps = [(one.0, share(0, 0)), one, (share(0, 0), one.1)];
        prop_assert_eq!(after(&test, &with_gaps), after(&test, &[one]));
    }

    #[test]
    fn no_single_look_decides_at_the_slow_speed(stable in counts(), candidate in counts(), more in counts()) {
        let mut state = BoundaryEvidence::default();
        boundary::update(&mut state, &errors(Speed::TwoSpeed), share(10, 10_000), share(1, 1_000));
        let before = state.processes.capped.unwrap_or_default().total;
        boundary::update(&mut state, &errors(Speed::TwoSpeed), stable, candidate);
        boundary::update(&mut state, &errors(Speed::TwoSpeed), stable, more);
        let gained = state.processes.capped.unwrap_or_default().total - before;
        prop_assert!(gained <= 2.4 + 1e-9, "{gained}");
    }

    #[test]
    fn a_fixed_bound_and_pairs_follow_the_counts(bad in 0_u64..500, n in 500_u64..5_000) {
        let test = FixedTest { speed: Speed::Tempered, alternatives: Alternatives::Errors, bound: 0.05 };
        let fixed = |bad| {
            let mut state = FixedEvidence::default();
            fixed::update(&mut state, &test, FixedWindow { n, bad, at_most_bad: bad });
            fixed::log_evidence(&state, Speed::Tempered)
        };
        prop_assert!(fixed(bad + 1).rollback >= fixed(bad).rollback);
        prop_assert!(fixed(bad + 1).promotion <= fixed(bad).promotion);
        for margin in [Margin::Absolute(0.02), Margin::Ratio(1.5)] {
            let pairs = |only_candidate_wrong| {
                let mut state = PairedEvidence::default();
                let window = Pairs { n: n + 1_000, only_stable_wrong: 100, only_candidate_wrong };
                paired::update(&mut state, &PairedTest { tolerance: 1.0, margin }, window);
                paired::log_evidence(&state)
            };
            prop_assert!(pairs(bad + 1).rollback >= pairs(bad).rollback - 1e-5);
            prop_assert!(pairs(bad + 1).promotion <= pairs(bad).promotion + 1e-5);
        }
    }
}
