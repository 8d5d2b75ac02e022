//! Recordings and what an analysis says about them.

use std::fmt::Write as _;

use tagship_domain::{
    Duration,
    analysis::{Analysis, AnalysisDecision, AnalysisLook, Bound, Judge, Metric, MetricKind, MetricPhase},
    kayenta::{Direction, KayentaMetric, KayentaScore},
};

use super::{Policy, PolicyMismatch, Recording, replay};

fn errors(looks: u32, stable: (u64, u64), candidate: (u64, u64)) -> String {
    let mut text = String::new();
    for look in 1..=looks {
        let _ = writeln!(
            text,
            r#"{{"t": {}, "metric": "errors", "kind": "error-ratio", "stable": {{"n": {}, "bad": {}}}, "candidate": {{"n": {}, "bad": {}}}}}"#,
            look * 60,
            stable.1,
            stable.0,
            candidate.1,
            candidate.0
        );
    }
    text
}

fn judged(text: &str) -> Vec<AnalysisLook> {
    let recording = Recording::parse(text).unwrap();
    replay(&Policy::defaults(&recording).unwrap(), &recording).unwrap()
}

fn analysis(metrics: Vec<Metric>) -> Analysis {
    Analysis { interval: <_>::default(), max_wait: <_>::default(), metrics, kayenta: None }
}

#[track_caller]
fn refused(text: &str, line: usize, words: &str) {
    let error = Recording::parse(text).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    assert!(error.message.contains(words), "{words:?} is missing in {error}");
}

#[test]
fn a_good_candidate_is_promoted_and_nothing_is_said_after_that() {
    let looks = judged(&errors(30, (54, 5_400), (6, 600)));
    assert!(looks.len() > 2 && looks.len() < 15, "{}", looks.len());
    let (last, before) = looks.split_last().unwrap();
    assert!(before.iter().all(|look| look.decision == AnalysisDecision::Continue));
    assert_eq!(last.decision, AnalysisDecision::Promote);
    assert_eq!(last.metrics[0].phase, MetricPhase::Successful);
}

#[test]
fn a_bad_candidate_is_rolled_back() {
    let looks = judged(&errors(30, (54, 5_400), (30, 600)));
    assert_eq!(looks.last().unwrap().decision, AnalysisDecision::Rollback);
    assert!(looks.len() <= 3, "{}", looks.len());
}

#[test]
fn a_recording_that_ends_too_early_is_inconclusive() {
    let looks = judged(&errors(2, (54, 5_400), (6, 600)));
    assert_eq!(looks.len(), 2);
    assert_eq!(
        (looks[0].decision, looks[0].metrics[0].phase),
        (AnalysisDecision::Continue, MetricPhase::Running)
    );
    assert_eq!(looks[1].decision, AnalysisDecision::Inconclusive);
    assert_eq!(looks[1].metrics[0].phase, MetricPhase::Inconclusive);
}

#[test]
fn lines_of_the_same_time_are_one_look() {
    let text = r#"
{"t": 60, "metric": "errors", "kind": "error-ratio", "stable": {"n": 5400, "bad": 54}, "candidate": {"n": 600, "bad": 6}}
{"t": 60, "metric": "latency", "kind": "latency", "stable": {"buckets": [5, 50], "counts": [10, 9]}, "candidate": {"buckets": [5, 50], "counts": [10, 9, 1]}}
{"t": 60, "metric": "drift", "kind": "prediction-drift", "stable": {"classes": {"a": 5}}, "candidate": {"classes": {"a": 4, "b": 1}}}
{"t": 60, "metric": "shadow", "kind": "paired-accuracy", "pairs": {"n": 600, "only_stable_wrong": 9, "only_candidate_wrong": 12}}
{"t": 60.0001, "metric": "errors", "kind": "error-ratio", "stable": {"n": 5400, "bad": 54}, "candidate": {"n": 600, "bad": 6}}
"#;
    let looks = judged(text);
    assert_eq!(looks.len(), 2);
    let names: Vec<&str> = looks[0].metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["errors", "latency", "drift", "shadow"]);
    assert_eq!(looks[0].metrics[0].measurement.fails_at, Some(60.0), "drift does not decide");
    assert_eq!(looks[1].metrics[0].measurement.n, [10_800, 1_200], "a tenth of a millisecond later");
    assert_eq!(looks[1].metrics[1].measurement.n, [19, 20], "not looked at again");
}

#[test]
fn lines_that_make_no_sense_are_refused_with_their_number() {
    let good = errors(1, (1, 10), (1, 10));
    let line = |sides: &str| format!(r#"{{"t": 1, "metric": "m", "kind": "error-ratio", {sides}}}"#);
    let of = |kind: &str, sides: &str| format!(r#"{{"t": 1, "metric": "m", "kind": "{kind}", {sides}}}"#);
    let both = |side: &str| format!(r#""stable": {side}, "candidate": {side}"#);
    refused("", 1, "there is no look");
    refused("\n \n", 1, "there is no look");
    refused(&format!("{good}not json\n"), 2, "column");
    refused(&line(r#""stable": {"n": NaN, "bad": 1}, "candidate": {"n": 2, "bad": 1}"#), 1, "column");
    refused(&line(&both(r#"{"n": 5, "bad": 6}"#)), 1, "6 bad of 5");
    refused(&line(&both(r#"{"n": 5.5, "bad": 1}"#)), 1, "5.5");
    refused(&line(&both(r#"{"n": 5}"#)), 1, "`n` and `bad`");
    refused(&line(r#""stable": {"n": 5, "bad": 1}"#), 1, "`candidate` is missing");
    refused(&of("p99", &both(r#"{"n": 5, "bad": 1}"#)), 1, "unknown variant `p99`");
    refused(&of("latency", &both(r#"{"buckets": [5, 4], "counts": [1, 1]}"#)), 1, "not ascending");
    refused(&of("latency", &both(r#"{"buckets": [5], "counts": [1, 1, 1]}"#)), 1, "3 counts for 1 buckets");
    let differ = r#""stable": {"buckets": [5], "counts": [1]}, "candidate": {"buckets": [6], "counts": [1]}"#;
    refused(&of("latency", differ), 1, "differ");
    refused(&of("prediction-drift", &both("{}")), 1, "`classes`");
    refused(&of("paired-accuracy", &both("{}")), 1, "`pairs` is missing");
    let pairs = r#""pairs": {"n": 1, "only_stable_wrong": 1, "only_candidate_wrong": 1}"#;
    refused(&of("paired-accuracy", pairs), 1, "more disagreements than pairs");
    let back = errors(1, (1, 10), (1, 10)).replace("\"t\": 60", "\"t\": 59");
    refused(&format!("{good}{back}"), 2, "goes back from 60 to 59");
    refused(&format!("{good}{good}"), 2, "twice");
    let other_kind = good.replace("60", "61").replace("error-ratio", "labelled-accuracy");
    refused(&format!("{good}{other_kind}"), 2, "was error-ratio and is labelled-accuracy");
    let histogram = |t: u32, bound: u32| {
        let side = format!(r#"{{"buckets": [{bound}], "counts": [1]}}"#);
        of("latency", &both(&side)).replace("\"t\": 1", &format!("\"t\": {t}"))
    };
    refused(&format!("{}\n{}\n", histogram(1, 5), histogram(2, 6)), 2, "other ones than before");
    let alone = line(r#""candidate": {"n": 5, "bad": 1}"#).replace("\"t\": 1", "\"t\": 61");
    refused(&format!("{good}{alone}"), 2, "record all or none");
}

#[test]
fn an_analysis_has_to_fit_the_recording() {
    let recording = Recording::parse(&errors(1, (1, 10), (1, 10))).unwrap();
    let policy = |name: &str, kind| Policy::of(analysis(vec![Metric::with_defaults(name, kind)]), &recording);
    assert!(policy("errors", MetricKind::ErrorRatio).is_ok());
    assert!(matches!(policy("errros", MetricKind::ErrorRatio), Err(PolicyMismatch::NotRecorded { .. })));
    assert!(matches!(policy("errors", MetricKind::LabelledAccuracy), Err(PolicyMismatch::OtherKind { .. })));
    let drift = r#"{"t": 1, "metric": "d", "kind": "prediction-drift", "stable": {"classes": {}}, "candidate": {"classes": {}}}"#;
    let recording = Recording::parse(drift).unwrap();
    assert_eq!(Policy::defaults(&recording), Err(PolicyMismatch::NothingDecides));
}

#[test]
fn without_stable_a_bound_judges() {
    let text: String = (1..20).fold(String::new(), |mut text, look| {
        let _ = writeln!(
            text,
            r#"{{"t": {look}, "metric": "errors", "kind": "error-ratio", "candidate": {{"n": 600, "bad": 2}}}}"#
        );
        text
    });
    let recording = Recording::parse(&text).unwrap();
    assert!(matches!(Policy::defaults(&recording), Err(PolicyMismatch::NoBound { .. })));
    let metric = Metric {
        bound: Some(Bound::MaxErrorRatio(0.02)),
        ..Metric::with_defaults("errors", MetricKind::ErrorRatio)
    };
    let policy = Policy::of(analysis(vec![metric]), &recording).unwrap();
    let looks = replay(&policy, &recording).unwrap();
    assert_eq!(looks.last().unwrap().decision, AnalysisDecision::Promote);
}

/// A score is replayed like any other metric: nothing before its horizon, one figure at it.
#[test]
fn a_recorded_score_is_judged_at_its_horizon() {
    let rows = |n: usize, wrong: usize| {
        let row = |at: usize| format!("[\"1\",\"{}\"]", usize::from(at % 10 >= wrong));
        (0..n).map(row).collect::<Vec<_>>().join(",")
    };
    let look = |t: usize, n: usize| {
        format!(
            "{{\"t\":{t},\"metric\":\"recall\",\"kind\":\"score\",\"labelled\":{{\"rows\":{{\"apart\":{{\"stable\":[{}],\"candidate\":[{}]}}}}}}}}",
            rows(400, 1),
            rows(n, 6)
        )
    };
    let recording = Recording::parse(&[look(60, 100), look(120, 200)].join("\n")).unwrap();
    let scoring = tagship_domain::scoring::Scoring {
        score: tagship_domain::scoring::Score::Recall,
        positive: Some("1".to_owned()),
        margin: 0.1,
        horizon: tagship_domain::scoring::Horizon::Rows(200),
    };
    let metric = Metric { scoring: Some(scoring), ..Metric::with_defaults("recall", MetricKind::Score) };
    let policy = Policy::of(analysis(vec![metric]), &recording).unwrap();
    let said = replay(&policy, &recording).unwrap();
    let decisions: Vec<_> = said.iter().map(|look| look.decision).collect();
    assert_eq!(decisions, [AnalysisDecision::Continue, AnalysisDecision::Rollback]);
    assert!(matches!(Policy::defaults(&recording), Err(PolicyMismatch::NoScore { .. })));
}

#[test]
fn values_are_replayed_the_way_of_kayenta() {
    let kayenta = KayentaMetric {
        direction: Direction::Increase,
        groups: vec!["all".to_owned()],
        ..KayentaMetric::default()
    };
    let p99 = Metric {
        judge: Judge::Kayenta,
        kayenta: Some(kayenta),
        ..Metric::with_defaults("p99", MetricKind::Value)
    };
    let score = KayentaScore {
        lifetime: Duration::from_secs(420),
        group_weights: [].into(),
        pass: 75.0,
        marginal: 50.0,
    };
    let last = |times: u32| {
        let mut text = String::new();
        for look in 1..=8 {
            let (t, stable, candidate) = (look * 60, 100 + look, times * (101 + look * 3 % 8));
            let _ = writeln!(
                text,
                r#"{{"t": {t}, "metric": "p99", "kind": "value", "stable": {{"value": {stable}}}, "candidate": {{"value": {candidate}}}}}"#
            );
        }
        let recording = Recording::parse(&text).unwrap();
        let analysis = Analysis { kayenta: Some(score.clone()), ..analysis(vec![p99.clone()]) };
        let said = replay(&Policy::of(analysis, &recording).unwrap(), &recording).unwrap();
        assert!(said[..7].iter().all(|look| look.decision == AnalysisDecision::Continue));
        said.into_iter().nth(7).unwrap()
    };
    let good = last(1);
    assert_eq!(good.decision, AnalysisDecision::Promote);
    let names: Vec<&str> = good.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["p99", "kayenta score"]);
    assert_eq!(good.metrics[1].measurement.value, Some(100.0));
    let bad = last(2);
    assert_eq!((bad.decision, bad.metrics[1].phase), (AnalysisDecision::Rollback, MetricPhase::Failed));
}
