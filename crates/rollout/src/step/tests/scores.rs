//! A score leads a rollout back at its horizon, and lets it through only beside a metric that is watched.

use tagship_domain::{
    analysis::{Metric, MetricKind, MetricPhase},
    plan::RolloutPlan,
    rollout::{Phase, Reason},
    scoring::{Horizon, Labelled, LabelledRows, Score, Scoring},
};
use tagship_ports::{OwnSource, fake::FakeLabelledSource};

use crate::{
    Never, Told,
    tests::{
        stage::Story,
        walk::{Walk, analysis, canary, errors, minutes},
    },
};

fn f1() -> Metric {
    let horizon = Horizon::Rows(500);
    let scoring = Scoring { score: Score::F1, positive: Some("yes".to_owned()), margin: 0.1, horizon };
    Metric { own_source: true, scoring: Some(scoring), ..Metric::with_defaults("f1", MetricKind::Score) }
}

fn plan() -> RolloutPlan {
    RolloutPlan { analysis: Some(analysis(vec![errors(), f1()])), ..canary() }
}

/// Rows of both versions; `missed` of ten of the candidate's are missed.
fn rows(of_candidate: usize, missed: usize) -> Labelled {
    let row = |missed: usize| {
        move |at: usize| ["yes".to_owned(), if at % 10 < missed { "no" } else { "yes" }.to_owned()]
    };
    let stable = (0..2000).map(row(1)).collect();
    let candidate = (0..of_candidate).map(row(missed)).collect();
    Labelled { rows: LabelledRows::Apart { stable, candidate }, digest: None }
}

fn walk(found: Labelled) -> Walk {
    let mut walk = Walk::begin(&plan(), true).under(400, [10, 10]);
    walk.labelled.insert("f1".to_owned(), Ok(found));
    walk
}

#[test]
fn a_good_score_lets_it_through_and_a_bad_one_leads_back() {
    walk(rows(500, 1)).until(Phase::Succeeded, 3600);
    let mut bad = walk(rows(500, 6));
    let end = bad.until(Phase::RolledBack, 3600);
    assert_eq!((end.reason, end.judges["f1"].phase), (Reason::AnalysisFailed, MetricPhase::Failed));
    assert!(end.cause.as_deref().unwrap().contains("judged once, at 500"), "{:?}", end.cause);
}

#[test]
fn a_horizon_that_never_comes_ends_with_a_person() {
    let mut walk = walk(rows(499, 1));
    let end = walk.until(Phase::Paused, 7200);
    assert_eq!(end.judges["errors"].phase, MetricPhase::Successful, "that one alone promotes nothing");
    assert_eq!((end.reason, end.judges["f1"].phase), (Reason::NoData, MetricPhase::Inconclusive));
}

#[test]
fn a_source_that_cannot_be_read_leads_back_and_never_passes() {
    let mut walk = walk(rows(500, 1));
    walk.labelled.insert("f1".to_owned(), Err("line 3 has a label and no version".to_owned()));
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!(end.reason, Reason::AnalysisError);
    assert!(end.cause.as_deref().unwrap().contains("line 3"), "{:?}", end.cause);
}

#[tokio::test]
async fn the_driver_asks_for_rows_until_the_score_is_judged() {
    let mut stage = Story::GoesStepByStep.stage().await;
    let source = FakeLabelledSource::default();
    source.set(rows(500, 1));
    stage.sources.insert("f1".to_owned(), OwnSource::Labelled(Box::new(source)));
    let mut driver = stage.driver(&Never);
    stage.begin(&mut driver, tagship_domain::rollout::Kind::Deploy, &plan()).await.unwrap();
    driver.once(Told::default()).await.unwrap();
    for _ in 0..2 {
        stage.clock.advance(minutes(1));
        stage.driver(&Never).once(Told::default()).await.unwrap();
    }
    let ended = stage.driver(&Never).once(Told::default()).await.unwrap();
    let judged = &ended.state().unwrap().judges["f1"];
    assert_eq!(
        (judged.phase, judged.looks.measured, judged.n),
        (MetricPhase::Successful, 1, 500),
        "{judged:?}"
    );
}
