//! A model that is watched for a month: looks every hour, rollouts, twenty columns of drift, objectives, labels.

use std::collections::BTreeMap;

use tagship_domain::{
    Duration, Timestamp, Version,
    drift::{
        ColumnDrift, ColumnKind, DatasetDrift, DriftCode, DriftFinding, DriftProfile, DriftReport, Histogram,
        SliceDrift,
    },
    incident::{Finding, Incident, IncidentPhase, Standing, StreamState, TrendPoint, WatchReport},
    monitor::{LookDetails, MonitorReport, PastRollout, Watch},
    quality::{LabelLag, QualityBound, QualityMetric, QualityReport, QualityScore, QualityTask},
    rollout::{Kind, Phase, RolloutId},
    slo::{BurnWindow, ObjectiveReport, Severity, SloState},
};

const HOUR: i64 = 3_600;
/// When the page is made.
const NOW: i64 = 1_795_910_400;

fn at(hours_ago: i64) -> Timestamp {
    Timestamp::from_seconds(NOW - hours_ago * HOUR).unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A number between 0 and 1 that looks like chance and is always the same.
fn noise(of: i64) -> f64 {
    let mixed = (of * of * 37 + of * 7_919 + 11).rem_euclid(10_007);
    f64::from(i32::try_from(mixed).unwrap()) / 10_007.0
}

fn finding(topic: &str, standing: Standing, value: f64, limit: f64, asked: &str, said: &str) -> Finding {
    Finding {
        topic: topic.to_owned(),
        standing,
        severity: Severity::Ticket,
        is_regression: false,
        value: Some(value),
        limit: Some(limit),
        threshold: asked.to_owned(),
        window: "48,211 predictions, 31,904 with a label".to_owned(),
        sentence: said.to_owned(),
    }
}

/// Numbers or categories of one column; the current side is shifted by so many bins.
fn column(number: usize, name: &str, drifted: Option<bool>) -> ColumnDrift {
    let is_numeric = number % 3 != 2;
    let shift = if drifted == Some(true) { 4 } else { 0 };
    let hill = |bin: i32, middle: i32| {
        let far = f64::from(bin - middle) / 4.5;
        (4_000.0 * (-far * far / 2.0).exp()).round()
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    let count = |number: f64| number as u64;
    let names = ["basic", "plus", "pro", "enterprise", "trial"];
    let histogram = if is_numeric {
        let counts = (0..24).map(|bin| [count(hill(bin, 10)), count(hill(bin, 10 + shift) * 0.4)]).collect();
        Histogram::Bins { edges: (0..25).map(|edge| f64::from(edge) * 4.25).collect(), counts }
    } else {
        let counts = (0..5).map(|at| [count(hill(at * 3, 0)), count(hill(at * 3, shift))]).collect();
        Histogram::Categories { names: names.map(str::to_owned).to_vec(), counts, other: [120, 310] }
    };
    let new = DriftFinding {
        code: DriftCode::OutOfRange,
        message: "37 of 19,204 values lie outside of 0 to 102".to_owned(),
    };
    let few = DriftFinding {
        code: DriftCode::TooFewRows,
        message: "a verdict needs 30 values of each side".to_owned(),
    };
    ColumnDrift {
        name: name.to_owned(),
        kind: Some(if is_numeric { ColumnKind::Numeric } else { ColumnKind::Categorical }),
        test: drifted.map(|_| if is_numeric { "ks" } else { "contingency" }.to_owned()),
        score: drifted.map(|drifted| if drifted { 1.2e-11 } else { 0.41 }),
        statistic: None,
        p_value: None,
        effect: drifted.map(|drifted| if drifted { 0.58 } else { 0.03 }),
        stability_index: None,
        threshold: drifted.map(|_| 0.05),
        drifted,
        n: [50_000, 19_204],
        missing: [0.011, 0.013],
        histogram: Some(histogram),
        findings: match drifted {
            Some(true) => vec![new],
            None => vec![few],
            Some(false) => vec![],
        },
    }
}

/// Drift of so many columns, of which three have drifted and one cannot be judged.
pub(crate) fn drift(columns: usize) -> DriftReport {
    let names = ["age", "income", "plan", "tenure", "clicks", "device", "balance", "visits", "country"];
    let name = |at: usize| names.get(at).map_or_else(|| format!("feature_{at}"), |name| (*name).to_owned());
    let drifted = |at: usize| match at {
        1 | 2 | 7 => Some(true),
        4 => None,
        _ => Some(false),
    };
    let slice = |value: &str, drifted: Option<bool>, rows| SliceDrift {
        column: "country".to_owned(),
        value: value.to_owned(),
        rows: [9_000, rows],
        columns: vec![column(0, "age", drifted), column(1, "income", drifted)],
        dataset: DatasetDrift { drifted, share: 0.5, threshold: 0.5 },
    };
    DriftReport {
        profile: DriftProfile::Default,
        rows: [50_000, 19_204],
        columns: (0..columns).map(|at| column(at, &name(at), drifted(at))).collect(),
        dataset: DatasetDrift { drifted: Some(false), share: 0.15, threshold: 0.5 },
        slices: vec![slice("DE", Some(true), 7_030), slice("FR", Some(false), 5_112), slice("SE", None, 12)],
    }
}

fn objectives() -> Vec<ObjectiveReport> {
    let window = |severity, hours: u64, minutes: u64, factor, burn: [f64; 2], fires| BurnWindow {
        severity,
        windows: [Duration::from_secs(hours * 3_600), Duration::from_secs(minutes * 60)],
        factor,
        burn: burn.map(Some),
        events: 120_000 * hours,
        bad: 310 * hours,
        fires: Some(fires),
    };
    let share = |name: &str, state, left, fast| ObjectiveReport {
        name: name.to_owned(),
        asked: "99.5% of the requests are good".to_owned(),
        state,
        severity: (state == SloState::Burning).then_some(Severity::Page),
        value: None,
        windows: vec![
            window(Severity::Page, 1, 5, 14.4, [fast, fast * 1.1], fast > 14.4),
            window(Severity::Page, 6, 30, 6.0, [fast / 2.0, fast / 2.1], fast > 12.0),
            window(Severity::Ticket, 24, 120, 3.0, [0.9, 1.2], false),
            window(Severity::Ticket, 72, 360, 1.0, [0.7, 0.8], false),
        ],
        budget_left: left,
        reason: "the budget is spent 18.3 times as fast as in 30 days".to_owned(),
    };
    vec![
        share("availability", SloState::Burning, Some(0.18), 18.3),
        share("latency", SloState::Kept, Some(0.71), 0.4),
        ObjectiveReport {
            state: SloState::NoData,
            windows: vec![],
            budget_left: None,
            reason: "no data: the query answers nothing".to_owned(),
            ..share("cpu", SloState::Kept, None, 0.0)
        },
    ]
}

fn quality() -> QualityReport {
    let score = |metric, value: f64, bound: Option<f64>| QualityScore {
        metric,
        value: Some(value),
        interval: Some([value - 0.006, value + 0.006]),
        n: 31_904,
        bound: bound.map(QualityBound::AtLeast),
        good: bound.map(|bound| value - 0.006 >= bound),
        reason: None,
    };
    QualityReport {
        task: QualityTask::Binary,
        rows: 48_211,
        untimed: 0,
        labelled: 31_904,
        coverage: Some(0.6618),
        label_lag: Some(LabelLag { median: 5_400.0, p90: 39_600.0, longest: 86_000.0 }),
        confidence: 0.95,
        scores: vec![
            score(QualityMetric::Accuracy, 0.9132, Some(0.9)),
            score(QualityMetric::F1, 0.874, None),
            score(QualityMetric::Auc, 0.951, Some(0.93)),
        ],
        reliability: vec![],
        slices: vec![],
        estimate: None,
        findings: vec![],
        good: Some(true),
    }
}

fn findings() -> Vec<Finding> {
    let availability = "availability: the budget is spent 18.3 times as fast as in 30 days";
    let drift = "the data has not drifted, only 3 of 20 columns: income, plan, visits";
    vec![
        finding(
            "quality/accuracy",
            Standing::Good,
            0.9132,
            0.9,
            "at least 0.9",
            "accuracy is 0.9132; at least 0.9 is asked for",
        ),
        finding(
            "quality/auc",
            Standing::Good,
            0.951,
            0.93,
            "at least 0.93",
            "auc is 0.9510; at least 0.93 is asked for",
        ),
        finding("drift/data", Standing::Good, 0.15, 0.5, "drift of less than 50% of the columns", drift),
        Finding {
            severity: Severity::Page,
            is_regression: true,
            ..finding(
                "slo/availability",
                Standing::Bad,
                1.27,
                1.0,
                "99.5% of the requests are good; 1 is the pace that alarms",
                availability,
            )
        },
        finding(
            "slo/latency",
            Standing::Good,
            0.4,
            1.0,
            "99% of the requests are below 100ms; 1 is the pace that alarms",
            "latency: it is kept",
        ),
        Finding {
            value: None,
            limit: None,
            ..finding(
                "slo/cpu",
                Standing::NoData,
                0.0,
                0.0,
                "at most 0.8",
                "cpu: no data: the query answers nothing",
            )
        },
        Finding {
            limit: None,
            ..finding(
                "stream/confidence",
                Standing::Good,
                0.83,
                0.0,
                "no change that adwin can tell from chance",
                "confidence has not changed, says adwin",
            )
        },
    ]
}

fn trend() -> Vec<TrendPoint> {
    let look = |ago: i64| {
        let worse = if ago < 4 { 1.0 } else { 0.0 };
        let before = if (300..330).contains(&ago) { 1.0 } else { 0.0 };
        let values = BTreeMap::from([
            ("quality/accuracy".to_owned(), 0.915 + 0.008 * (noise(ago) - 0.5) - 0.03 * before),
            ("quality/auc".to_owned(), 0.952 + 0.004 * (noise(ago * 7) - 0.5)),
            ("drift/data".to_owned(), 0.05 + 0.1 * f64::from(u8::from(ago < 200)) + 0.04 * noise(ago * 13)),
            (
                "slo/availability".to_owned(),
                0.3 + 0.2 * noise(ago * 3) + 0.25 * worse * f64::from(i32::try_from(4 - ago).unwrap_or(0)),
            ),
            ("slo/latency".to_owned(), 0.3 + 0.3 * noise(ago * 5)),
            ("stream/confidence".to_owned(), 0.82 + 0.02 * noise(ago * 11)),
        ]);
        let bad = if before > 0.0 {
            vec!["quality/accuracy".to_owned()]
        } else if ago < 2 {
            vec!["slo/availability".to_owned()]
        } else {
            vec![]
        };
        let unknown = if (90..110).contains(&ago) || ago < 30 { vec!["slo/cpu".to_owned()] } else { vec![] };
        TrendPoint {
            at: at(ago),
            version: Some(version(if ago > 330 {
                "v1.3.0"
            } else if ago > 298 {
                "v1.4.0"
            } else if ago > 140 {
                "v1.3.0"
            } else {
                "v1.5.0"
            })),
            good: if !bad.is_empty() {
                Some(false)
            } else if unknown.is_empty() {
                Some(true)
            } else {
                None
            },
            values,
            bad: bad.into_iter().collect(),
            unknown: unknown.into_iter().collect(),
        }
    };
    (1..720).rev().map(look).collect()
}

fn incidents() -> Vec<Incident> {
    let all = findings();
    let of = |number: usize, phase, ago| Incident {
        topic: all[number].topic.clone(),
        phase,
        looks: 2,
        bad: 2,
        opened: vec![at(ago)],
        since: at(ago),
        told: Some(at(ago)),
        finding: all[number].clone(),
        issue: Some(format!("https://github.example/acme/models/issues/{}", 40 + number)),
    };
    let mut silent = of(5, IncidentPhase::Open, 29);
    silent.topic.push_str("/no-data");
    vec![of(3, IncidentPhase::Open, 1), silent, of(0, IncidentPhase::Resolved, 298)]
}

fn past() -> Vec<PastRollout> {
    let one = |id: &str, kind, phase, new: &str, before: &str, ago| PastRollout {
        id: RolloutId(id.to_owned()),
        kind,
        phase,
        version: version(new),
        before: Some(version(before)),
        at: at(ago),
    };
    vec![
        one("production-v1.5.0-9", Kind::Deploy, Phase::Succeeded, "v1.5.0", "v1.3.0", 140),
        one("production-v1.3.0-8", Kind::Rollback, Phase::Succeeded, "v1.3.0", "v1.4.0", 298),
        one("production-v1.4.0-7", Kind::Deploy, Phase::Succeeded, "v1.4.0", "v1.3.0", 330),
        one("production-v1.3.0-6", Kind::Deploy, Phase::Succeeded, "v1.3.0", "v1.2.1", 690),
    ]
}

/// What is known of it, with so many columns.
pub(crate) fn watched(columns: usize) -> MonitorReport {
    let look = WatchReport {
        model: "churn".parse().unwrap(),
        environment: "production".parse().unwrap(),
        version: Some(version("v1.5.0")),
        at: at(0),
        findings: findings(),
        incidents: incidents(),
        streams: vec![StreamState {
            name: "confidence".to_owned(),
            detector: "adwin".to_owned(),
            state: serde_json::Value::Null,
            values: 1_204_331,
            last: Some(at(0)),
            detected: None,
        }],
        trend: trend(),
        outbox: vec![],
        good: Some(false),
    };
    let details =
        LookDetails { drift: Some(drift(columns)), quality: Some(quality()), objectives: objectives() };
    MonitorReport {
        model: look.model.clone(),
        environment: look.environment.clone(),
        at: at(0).after(Duration::from_secs(240)),
        look: Some(look),
        details: Some(details),
        rollout: None,
        past: past(),
        complete: true,
        unwatched: vec![],
    }
}

/// The same where all is well.
pub(crate) fn well() -> MonitorReport {
    let mut report = watched(20);
    if let Some(look) = &mut report.look {
        look.findings.retain(|finding| finding.standing == Standing::Good);
        look.incidents.retain(|incident| incident.phase == IncidentPhase::Resolved);
        look.good = Some(true);
    }
    report.model = "fraud".parse().unwrap();
    report.unwatched = vec![Watch::Streams];
    report
}

/// The same before the first look.
pub(crate) fn unseen() -> MonitorReport {
    MonitorReport { look: None, details: None, past: vec![], model: "pricing".parse().unwrap(), ..watched(0) }
}
