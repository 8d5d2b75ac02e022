//! A score the way of Kayenta leads a rollout back when its lifetime is over, and lets it through beside a metric that is
//! watched.

use tagship_domain::{
    analysis::{Judge, Metric, MetricKind, MetricPhase},
    kayenta::{KayentaMetric, KayentaScore, SCORE},
    plan::RolloutPlan,
    rollout::{Phase, Reason},
};

use crate::tests::walk::{Walk, analysis, canary, errors, minutes};

/// Errors are tolerated up to five times stable's, so that only the score tells.
fn plan(lifetime: u64) -> RolloutPlan {
    let kayenta = KayentaMetric { groups: vec!["all".to_owned()], ..KayentaMetric::default() };
    let share = Metric {
        judge: Judge::Kayenta,
        own_source: true,
        kayenta: Some(kayenta),
        ..Metric::with_defaults("share", MetricKind::Value)
    };
    let lax = Metric { tolerance: 5.0, ..errors() };
    let mut analysis = analysis(vec![lax, share]);
    analysis.kayenta = Some(KayentaScore {
        lifetime: minutes(lifetime),
        group_weights: [].into(),
        pass: 75.0,
        marginal: 50.0,
    });
    RolloutPlan { analysis: Some(analysis), ..canary() }
}

#[test]
fn a_good_score_lets_it_through_and_a_bad_one_leads_back() {
    let mut good = Walk::begin(&plan(10), true).under(400, [10, 10]);
    let end = good.until(Phase::Succeeded, 7200);
    assert_eq!(end.judges[SCORE].phase, MetricPhase::Successful);
    let mut bad = Walk::begin(&plan(10), true).under(400, [10, 30]);
    let end = bad.until(Phase::RolledBack, 7200);
    assert_eq!((end.reason, end.judges[SCORE].phase), (Reason::AnalysisFailed, MetricPhase::Failed));
    assert!(end.cause.as_deref().unwrap().contains("kayenta score: score 0"), "{:?}", end.cause);
}

#[test]
fn a_lifetime_that_never_ends_waits_for_a_person() {
    let mut open = Walk::begin(&plan(600), true).under(400, [10, 10]);
    let end = open.until(Phase::Paused, 14_400);
    assert_eq!(end.judges["errors"].phase, MetricPhase::Successful, "that one alone promotes nothing");
    assert_eq!(end.reason, Reason::InconclusiveAnalysis);
    assert!(end.message.contains("share"), "{}", end.message);
}
