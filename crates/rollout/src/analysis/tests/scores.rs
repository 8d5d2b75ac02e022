//! Scores: nothing before the horizon, one figure at it, and what it leads to.

use tagship_domain::{
    Duration,
    analysis::{Metric, MetricKind, MetricPhase, OnNoData, Seen, Window},
    evidence::Test,
    rollout::Reason,
    scoring::{Horizon, Labelled, LabelledRows, Score, Scoring},
};

use super::{super::resume, Rollout, Standing, errors, good};

fn metric(score: Score, horizon: Horizon) -> Metric {
    let positive = score.is_of_class().then(|| "1".to_owned());
    let scoring = Scoring { score, positive, margin: 0.05, horizon };
    Metric { own_source: true, scoring: Some(scoring), ..Metric::with_defaults("score", MetricKind::Score) }
}

/// Rows of which every second one is of the class; `wrong` of a hundred are predicted to be the other.
fn answers(rows: u64, wrong: u64) -> Vec<[String; 2]> {
    let row = |at: u64| {
        let truth = at % 2;
        let said = if at * 37 % 100 < wrong { 1 - truth } else { truth };
        [truth.to_string(), said.to_string()]
    };
    (0..rows).map(row).collect()
}

fn apart(stable: Vec<[String; 2]>, candidate: Vec<[String; 2]>) -> Seen {
    let rows = LabelledRows::Apart { stable, candidate };
    Seen::Window(Window::Labelled(Labelled { rows, digest: Some("ab".repeat(32)) }))
}

/// The phase of the score after looks at these rows, beside a metric that is always good.
fn ends(metric: Metric, looks: &[Seen]) -> (MetricPhase, Standing, Rollout) {
    let mut rollout = Rollout::of(vec![errors(), metric]);
    let mut standing = None;
    for seen in looks {
        standing = Some(rollout.look(&[("errors", good()), ("score", seen.clone())]));
    }
    (rollout.judge("score").phase, standing.unwrap(), rollout)
}

#[test]
fn looks_before_the_horizon_decide_nothing_however_bad_they_are() {
    let terrible = apart(answers(4000, 5), answers(1999, 95));
    let (phase, standing, rollout) =
        ends(metric(Score::F1, Horizon::Rows(2000)), &[terrible.clone(), terrible]);
    assert_eq!(phase, MetricPhase::Running);
    assert!(matches!(standing, Standing::Continue(_)), "{standing:?}");
    let said = &rollout.judge("score").message;
    assert!(said.contains("1999 labelled") && said.contains("judged once, at 2,000"), "{said}");
}

#[test]
fn a_worse_score_rolls_back_at_the_horizon_and_an_equal_one_is_good() {
    for score in
        [Score::F1, Score::Precision, Score::Recall, Score::Auc, Score::Brier, Score::Rmse, Score::Mae]
    {
        let bad = apart(answers(4000, 5), answers(2000, 30));
        let (phase, standing, _) = ends(metric(score, Horizon::Rows(2000)), &[bad]);
        assert_eq!(phase, MetricPhase::Failed, "{}", score.as_str());
        let Standing::Rollback { reason, cause } = standing else { panic!("{standing:?}") };
        assert_eq!(reason, Reason::AnalysisFailed);
        assert!(cause.contains("judged once, at 2,000 labelled predictions"), "{cause}");
        let same = apart(answers(4000, 5), answers(2000, 5));
        let (phase, ..) = ends(metric(score, Horizon::Rows(2000)), &[same]);
        assert_eq!(phase, MetricPhase::Successful, "{}", score.as_str());
    }
}

#[test]
fn it_is_judged_once_and_of_the_first_rows() {
    let (equal, worse) = (answers(2000, 5), answers(2000, 95));
    let grown = [equal.clone(), worse].concat();
    let (phase, _, rollout) = ends(
        metric(Score::F1, Horizon::Rows(2000)),
        &[apart(answers(4000, 5), equal), apart(answers(4000, 5), grown)],
    );
    assert_eq!(phase, MetricPhase::Successful);
    let state = rollout.judge("score");
    let Some(Test::Horizon(judged)) = state.evidence.as_ref().and_then(|known| known.test.as_ref()) else {
        panic!("{state:?}")
    };
    assert_eq!((judged.rows, state.looks.measured), ([4000, 2000], 1));
    // Two metrics share 5 %, so that each side of the interval has 2.5 %.
    assert!((judged.confidence - 0.95).abs() < 1e-12);
    assert!(serde_json::to_string(state).unwrap().len() < 1500, "the journal keeps no rows");
    // The first 2,000 alone: a figure of all 4,000 would be far worse.
    let (phase, ..) = ends(
        metric(Score::F1, Horizon::Rows(2000)),
        &[apart(answers(4000, 5), [answers(2000, 5), answers(2000, 95)].concat())],
    );
    assert_eq!(phase, MetricPhase::Successful);
}

#[test]
fn what_the_rows_cannot_tell_goes_to_a_person() {
    let unsure = apart(answers(200, 12), answers(100, 14));
    let (phase, standing, mut rollout) = ends(metric(Score::F1, Horizon::Rows(100)), &[unsure]);
    assert_eq!(phase, MetricPhase::Inconclusive);
    let Standing::Inconclusive { reason, message } = standing else { panic!("{standing:?}") };
    assert_eq!(reason, Reason::InconclusiveAnalysis);
    assert!(message.contains("undecided"), "{message}");
    // A person who leads it on has taken note; it is not judged again.
    resume(&mut rollout.judges);
    rollout.look(&[("errors", good()), ("score", apart(answers(4000, 5), answers(4000, 5)))]);
    assert_eq!(rollout.judge("score").phase, MetricPhase::Running);
    // Two perfect rankings leave no variance: nothing shows how far that is chance.
    let perfect = apart(answers(200, 0), answers(100, 0));
    let (phase, ..) = ends(metric(Score::Auc, Horizon::Rows(100)), &[perfect]);
    assert_eq!(phase, MetricPhase::Inconclusive);
}

#[test]
fn too_few_rows_at_the_horizon_are_no_data() {
    let after = Horizon::After(Duration::from_secs(120));
    let few = || apart(answers(4000, 5), answers(49, 5));
    let (phase, ..) = ends(metric(Score::F1, after), &[few(), few(), few()]);
    assert_eq!(phase, MetricPhase::Running, "it waits, and a person decides in the end");
    let asking = Metric { on_no_data: OnNoData::Inconclusive, ..metric(Score::F1, after) };
    let (phase, standing, rollout) = ends(asking, &[few(), few(), few()]);
    assert_eq!(phase, MetricPhase::Inconclusive);
    assert!(matches!(standing, Standing::Inconclusive { reason: Reason::NoData, .. }), "{standing:?}");
    assert!(rollout.judge("score").message.contains("49 of the candidate"));
    // No row is of the class: F1 divides by nothing.
    let none = vec![["0".to_owned(), "0".to_owned()]; 100];
    let (phase, ..) = ends(metric(Score::F1, Horizon::Rows(100)), &[apart(none.clone(), none)]);
    assert_eq!(phase, MetricPhase::Pending);
}

#[test]
fn a_time_is_a_horizon_too() {
    let after = Horizon::After(Duration::from_secs(120));
    let bad = || apart(answers(4000, 5), answers(500, 40));
    let (phase, ..) = ends(metric(Score::F1, after), &[bad(), bad()]);
    assert_eq!(phase, MetricPhase::Running);
    let (phase, ..) = ends(metric(Score::F1, after), &[bad(), bad(), bad()]);
    assert_eq!(phase, MetricPhase::Failed);
}

#[test]
fn pairs_need_fewer_rows_and_what_is_no_number_is_an_error() {
    let pairs = |wrong: u64| {
        let both = answers(600, 20).into_iter().zip(answers(600, wrong));
        let rows = both.map(|([label, stable], [_, candidate])| [label, stable, candidate]).collect();
        Seen::Window(Window::Labelled(Labelled { rows: LabelledRows::Paired(rows), digest: None }))
    };
    let (phase, ..) = ends(metric(Score::F1, Horizon::Rows(600)), &[pairs(21)]);
    assert_eq!(phase, MetricPhase::Successful);
    let (phase, ..) =
        ends(metric(Score::F1, Horizon::Rows(600)), &[apart(answers(600, 20), answers(600, 21))]);
    assert_eq!(phase, MetricPhase::Inconclusive, "apart, chance alone is larger than the margin");
    let words = vec![["1".to_owned(), "likely".to_owned()]; 100];
    let (phase, _, rollout) = ends(metric(Score::Auc, Horizon::Rows(100)), &[apart(words.clone(), words)]);
    assert_eq!((phase, rollout.judge("score").looks.consecutive_errors), (MetricPhase::Pending, 1));
    assert!(rollout.judge("score").message.contains("is no number"), "{}", rollout.judge("score").message);
}

/// A candidate that is worse by just what is allowed is rolled back no more often than the metric's part of the error rate
/// says, and promoted no more often either.
#[test]
fn the_error_rate_holds_at_the_margin() {
    let mut random = tagship_stats::random::Random::new(7);
    let mut rows = |n: u64, wrong: f64| -> Vec<[String; 2]> {
        let mut row = || {
            let truth = random.unit() < 0.4;
            let said = if random.unit() < wrong { !truth } else { truth };
            [u8::from(truth).to_string(), u8::from(said).to_string()]
        };
        (0..n).map(|_| row()).collect()
    };
    let (mut failed, mut passed) = (0, 0);
    for _ in 0..200 {
        // Recall is 1 - wrong: 0.9 of stable, 0.85 of the candidate.
        let seen = apart(rows(4000, 0.1), rows(3000, 0.15));
        match ends(metric(Score::Recall, Horizon::Rows(3000)), &[seen]).0 {
            MetricPhase::Failed => failed += 1,
            MetricPhase::Successful => passed += 1,
            _ => {}
        }
    }
    // 2.5 % of 200 are 5; 12 are more than four standard deviations above.
    assert!(failed <= 12 && passed <= 12, "{failed} {passed}");
}
