//! The score over groups, and what a missing part of it means.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{
    Cause,
    Class::{self, High, Inconclusive, Low, Nodata, NodataFailMetric, Pass},
    Entry, Score, ScoreError, Thresholds, Verdict, score,
};

const THRESHOLDS: Thresholds = Thresholds { pass: 95.0, marginal: 75.0 };

fn entry(group: &str, class: Class) -> Entry {
    let name = format!("{group} {class:?}");
    Entry { name, groups: vec![group.to_owned()], muted: false, class, critical: false }
}

fn critical(group: &str, class: Class) -> Entry {
    Entry { critical: true, ..entry(group, class) }
}

fn weights(of: &[(&str, f64)]) -> BTreeMap<String, f64> {
    of.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}

#[track_caller]
fn scored(entries: &[Entry], of: &[(&str, f64)]) -> Score {
    score(entries, &weights(of), THRESHOLDS).unwrap()
}

#[track_caller]
fn check(entries: &[Entry], of: &[(&str, f64)], total: f64, verdict: Verdict) {
    let score = scored(entries, of);
    assert!((score.total - total).abs() < 1e-9, "{score:?}");
    assert_eq!((score.verdict, score.cause), (verdict, Cause::Groups));
}

#[test]
fn a_group_scores_the_share_of_its_metrics_that_pass() {
    check(&[entry("a", Pass)], &[], 100.0, Verdict::Pass);
    check(&[entry("a", High)], &[], 0.0, Verdict::Fail);
    check(&[entry("a", Pass), entry("a", High)], &[], 50.0, Verdict::Fail);
    check(&[entry("a", Pass), entry("a", High), entry("a", Low)], &[], 33.33, Verdict::Fail);
    check(&[entry("a", Pass), entry("a", NodataFailMetric)], &[], 50.0, Verdict::Fail);
    check(&[entry("a", Pass), entry("a", Pass), entry("a", Nodata)], &[], 100.0, Verdict::Pass);
}

#[test]
fn groups_count_by_weight_and_those_without_share_the_rest() {
    let three = [entry("a", Pass), entry("a", Pass), entry("b", High)];
    check(&three, &[("a", 75.0), ("b", 25.0)], 75.0, Verdict::Marginal);
    let half = [entry("a", Pass), entry("a", High), entry("b", High)];
    check(&half, &[("a", 50.0), ("b", 50.0)], 25.0, Verdict::Fail);
    check(&[entry("a", Pass), entry("b", High), entry("c", Pass)], &[("b", 4.0)], 96.0, Verdict::Pass);
    check(&[entry("a", Pass), entry("b", Pass), entry("c", Pass)], &[], 100.0, Verdict::Pass);
}

#[test]
fn a_metric_may_count_in_several_groups_and_a_muted_one_in_none() {
    let both = Entry { groups: vec!["a".into(), "b".into()], ..entry("a", High) };
    check(&[entry("a", Pass), both.clone(), entry("b", Pass)], &[], 50.0, Verdict::Fail);
    check(&[entry("a", Pass), Entry { muted: true, critical: true, ..both }], &[], 100.0, Verdict::Pass);
}

#[test]
fn a_critical_metric_fails_everything() {
    let score = scored(&[entry("a", Pass), entry("a", Pass), critical("b", High)], &[("b", 1.0)]);
    assert_eq!((score.verdict, score.cause), (Verdict::Fail, Cause::CriticalMetric("b High".into())));
    assert!(score.total.abs() < 1e-12);
    let unknown = [entry("a", Pass), entry("a", Pass), critical("b", Nodata)];
    assert_eq!(scored(&unknown, &[]).cause, Cause::CriticalUnknown("b Nodata".into()));
    let both = [critical("b", Nodata), entry("a", Pass), critical("a", Low)];
    assert_eq!(scored(&both, &[]).cause, Cause::CriticalMetric("a Low".into()));
}

#[test]
fn what_is_unknown_never_passes() {
    for unknown in [Nodata, Inconclusive] {
        let score = scored(&[entry("a", Pass), entry("a", unknown)], &[]);
        assert_eq!((score.verdict, score.cause), (Verdict::Fail, Cause::MostlyUnknown));
    }
    let group = [entry("a", Pass), entry("a", Pass), entry("b", Nodata)];
    let score = scored(&group, &[("b", 10.0)]);
    assert_eq!((score.verdict, score.cause), (Verdict::Marginal, Cause::GroupsUnknown));
    assert!((score.total - 90.0).abs() < 1e-9);
    assert_eq!(score.groups[1].score, None);
    // Known to fail whatever the group says.
    let worse = [entry("a", High), entry("a", High), entry("b", Nodata)];
    check(&worse, &[("b", 10.0)], 0.0, Verdict::Fail);
}

#[test]
fn a_policy_that_cannot_add_up_is_refused() {
    let one = [entry("a", Pass)];
    let refused =
        |entries: &[Entry], of: &[(&str, f64)]| score(entries, &weights(of), THRESHOLDS).unwrap_err();
    assert_eq!(refused(&[], &[]), ScoreError::NoMetrics);
    assert_eq!(refused(&[Entry { muted: true, ..entry("a", Pass) }], &[]), ScoreError::NoMetrics);
    assert_eq!(refused(&one, &[("b", 10.0)]), ScoreError::EmptyGroup("b".into()));
    assert_eq!(refused(&one, &[("a", 90.0)]), ScoreError::WeightSum(90.0));
    assert_eq!(refused(&one, &[("a", -1.0)]), ScoreError::Weight("a".into(), -1.0));
    assert!(matches!(refused(&one, &[("a", f64::NAN)]), ScoreError::Weight(..)));
    let two = [entry("a", Pass), entry("b", Pass)];
    assert_eq!(refused(&two, &[("a", 100.0)]), ScoreError::WeightSum(100.0));
    for (pass, marginal) in [(50.0, 75.0), (101.0, 75.0), (95.0, -1.0), (f64::NAN, 75.0), (95.0, f64::NAN)] {
        let error = score(&one, &BTreeMap::new(), Thresholds { pass, marginal }).unwrap_err();
        assert!(matches!(error, ScoreError::Thresholds(_)), "{error}");
    }
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let class =
        prop::sample::select(vec![Pass, Pass, Pass, High, Low, Nodata, NodataFailMetric, Inconclusive]);
    let one = (prop::sample::select(vec!["a", "b", "c"]), class);
    prop::collection::vec(one.prop_map(|(group, class)| entry(group, class)), 1..12)
}

proptest! {
    #[test]
    fn a_metric_that_gets_worse_never_raises_the_score(
        entries in entries(),
        at in any::<prop::sample::Index>(),
        worse in prop::sample::select(vec![High, Low, NodataFailMetric]),
    ) {
        let before = scored(&entries, &[]);
        let mut after = entries;
        let at = at.index(after.len());
        prop_assume!(after[at].class == Pass);
        after[at].class = worse;
        prop_assert!(scored(&after, &[]).total <= before.total);
    }

    #[test]
    fn a_score_lies_within_its_range_and_a_pass_rests_on_what_is_known(entries in entries()) {
        let score = scored(&entries, &[]);
        prop_assert!((0.0..=100.0).contains(&score.total));
        prop_assert!((score.groups.iter().map(|group| group.weight).sum::<f64>() - 100.0).abs() < 1e-9);
        if score.verdict == Verdict::Pass {
            prop_assert!(entries.iter().filter(|entry| entry.class.is_unknown()).count() * 2 < entries.len());
            prop_assert!(score.groups.iter().all(|group| group.score.is_some()));
        }
    }
}
