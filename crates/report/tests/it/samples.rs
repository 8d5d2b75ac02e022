//! Reports as they come up in the life of a change, for snapshots and for the gallery.
#![allow(clippy::unwrap_used, reason = "samples are written here, so that they read is a matter of looking")]

#[path = "samples/canary.rs"]
pub(crate) mod canary;
#[path = "samples/dashboard.rs"]
pub(crate) mod dashboard;

use tagship_domain::{
    CommitId, Digest, Provenance, Release, Signature, TensorSpec, Timestamp, Version,
    analysis::{JudgeState, MetricPhase},
    decision::{Action, Decision, DecisionItem, ReasonCode},
    facts::{ModelFacts, Statement},
    gate::{CheckKind, GateCheck, GateReport, MetricDiff, Outcome, SeenValue},
    golden::Tolerance,
    monitor::MonitorReport,
    plan::{RolloutPlan, Smoke},
    report::{NextVersion, Section, StatusReport, TimelineEntry},
    rollout::{Effect, Intended, Kind, Phase, Reason, RolloutId, RolloutState, WeightPair},
    traffic::Weight,
    units::Duration,
    validation::{ArtifactReport, Finding, GoldenCase, GoldenReport, Severity, Status, ValidationReport},
};

/// Every sample with the name of its file.
pub(crate) fn all() -> Vec<(&'static str, StatusReport)> {
    vec![
        ("ready", report(vec![ready()])),
        ("gate-failed", report(vec![gate_failed()])),
        ("hostile-pickle", report(vec![hostile_pickle()])),
        ("incomplete", report(vec![incomplete()])),
        ("first-deployment", report(vec![first_deployment()])),
        ("running", report(vec![running()])),
        ("succeeded", report(vec![succeeded()])),
        ("rolled-back", report(vec![rolled_back()])),
        ("went-back", report(vec![went_back()])),
        ("rollback-failed", report(vec![rollback_failed()])),
        ("canary-running", report(vec![canary::running()])),
        ("canary-rolled-back", report(vec![canary::rolled_back_on_accuracy()])),
        ("canary-unmeasurable", report(vec![canary::unmeasurable()])),
        ("canary-no-data", report(vec![canary::paused_for_no_data()])),
        ("canary-undecided", report(vec![canary::paused_undecided()])),
        ("canary-paused-by-hand", report(vec![canary::paused_by_hand()])),
        ("blue-green-preview", report(vec![canary::preview()])),
        ("baking", report(vec![canary::baking()])),
        ("superseded", report(vec![canary::superseded()])),
        ("promoted", report(vec![canary::promoted()])),
        ("watched-well", report(vec![watched(dashboard::well())])),
        ("watched-bad", report(vec![watched(dashboard::watched(20))])),
        ("watched-unknown", report(vec![watched(dashboard::unseen())])),
        (
            "several",
            report(vec![
                named(ready(), "churn"),
                named(gate_failed(), "fraud"),
                named(succeeded(), "ranking"),
            ]),
        ),
        (
            "several-watched",
            report(vec![
                named(watched(dashboard::well()), "churn"),
                named(watched(dashboard::watched(20)), "fraud"),
                named(watched(dashboard::unseen()), "ranking"),
            ]),
        ),
    ]
}

pub(crate) fn report(sections: Vec<Section>) -> StatusReport {
    StatusReport {
        sha: commit(),
        pull_request: Some(12),
        written: at("03:44:52"),
        by: Provenance {
            actor: "ada".to_owned(),
            run: Some("https://ci.example/acme/models/runs/77".to_owned()),
        },
        note: None,
        commands: false,
        sections,
    }
}

pub(crate) fn at(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}Z").parse().unwrap()
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn commit() -> CommitId {
    "4f2c9a1be07d35586a1c0f9e2b7d4386c5e1a90b".parse().unwrap()
}

pub(crate) fn release(text: &str) -> Release {
    let byte = text.bytes().fold(7, u8::wrapping_add);
    Release {
        model: "churn".to_owned().try_into().unwrap(),
        version: version(text),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte.wrapping_add(1); 32]),
        commit: commit(),
    }
}

fn named(mut section: Section, name: &str) -> Section {
    section.model = name.to_owned().try_into().unwrap();
    if let Some(state) = &mut section.rollout {
        state.model = section.model.clone();
    }
    section
}

pub(crate) fn section() -> Section {
    Section {
        monitoring: None,
        environment_url: None,
        model: "churn".to_owned().try_into().unwrap(),
        environment: Some("production".to_owned().try_into().unwrap()),
        decision: None,
        validation: None,
        gate: None,
        release: None,
        next: None,
        rollout: None,
        timeline: vec![],
        series: vec![],
    }
}

pub(crate) fn item(action: Action, reason_code: ReasonCode, sentence: &str) -> DecisionItem {
    DecisionItem {
        model: section().model,
        environment: section().environment,
        action,
        reason_code,
        sentence: sentence.to_owned(),
        digest: Some(release("v1.1.0").digest),
        version: None,
    }
}

pub(crate) fn decision() -> Decision {
    let sentence = "the artifact differs from what production holds (v1.0.0)";
    Decision {
        action: Action::Deploy,
        reason_code: ReasonCode::DigestChanged,
        sentence: format!("deploy churn to production: {sentence}"),
        sha: commit(),
        pull_request: None,
        items: vec![
            item(Action::Deploy, ReasonCode::DigestChanged, sentence),
            DecisionItem {
                environment: Some("staging".to_owned().try_into().unwrap()),
                ..item(
                    Action::Skip,
                    ReasonCode::AlreadyDeployed,
                    "staging already holds these bytes as v1.1.0",
                )
            },
        ],
    }
}

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> TensorSpec {
    TensorSpec { name: name.to_owned(), datatype: datatype.to_owned(), shape: shape.to_vec() }
}

fn case(name: &str, passed: bool) -> GoldenCase {
    GoldenCase {
        name: name.to_owned(),
        passed,
        max_difference: Some(if passed { 1.2e-7 } else { 0.4181 }),
        latency_ms: 0.41,
        message: (!passed).then(|| "`probabilities[0][1]` is 0.8312, expected 0.4131 within 1e-5".to_owned()),
    }
}

pub(crate) fn artifact() -> ArtifactReport {
    ArtifactReport {
        path: "models/churn.onnx".to_owned(),
        format: "onnx".to_owned(),
        size: 12_988,
        sha256: Some(release("v1.1.0").digest),
        status: Status::Complete,
        verdict: tagship_domain::validation::Verdict::Pass,
        signature: Some(Signature {
            inputs: vec![tensor("X", "FP32", &[-1, 30])],
            outputs: vec![tensor("label", "INT64", &[-1]), tensor("probabilities", "FP32", &[-1, 2])],
        }),
        facts: Some(ModelFacts {
            parameters: Some(62),
            tensors: Some(2),
            dtypes: [("FP32".to_owned(), 62)].into(),
            licences: vec!["apache-2.0".to_owned()],
            stated: vec![Statement { name: "producer".to_owned(), value: "skl2onnx 1.19.1".to_owned() }],
        }),
        findings: vec![],
        golden: Some(GoldenReport {
            status: Status::Complete,
            cases: ["typical", "all zeros", "largest tenure", "new customer", "missing plan"]
                .map(|n| case(n, true))
                .into(),
            message: None,
        }),
    }
}

pub(crate) fn finding(rule: &'static str, severity: Severity, message: &str) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        member: None,
        offset: None,
        target: None,
        message: message.to_owned(),
        suppressed: None,
        excerpt: vec![],
    }
}

fn saw(path: &str, value: f64) -> SeenValue {
    SeenValue { path: path.to_owned(), value: Some(value.into()) }
}

pub(crate) fn check(name: &str, kind: CheckKind, outcome: Outcome, message: &str) -> GateCheck {
    GateCheck {
        name: name.to_owned(),
        kind,
        outcome,
        message: message.to_owned(),
        expression: None,
        saw: vec![],
    }
}

fn rule(name: &str, expression: &str, outcome: Outcome, seen: &[(&str, f64)]) -> GateCheck {
    let verb = if outcome == Outcome::Successful { "holds" } else { "does not hold" };
    let words: Vec<String> = seen.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    GateCheck {
        expression: Some(expression.to_owned()),
        saw: seen.iter().map(|(path, value)| saw(path, *value)).collect(),
        ..check(
            name,
            CheckKind::Rule,
            outcome,
            &format!("`{expression}` {verb} with {}", words.join(" and ")),
        )
    }
}

fn metric(name: &str, candidate: f64, stable: Option<f64>) -> MetricDiff {
    MetricDiff { name: name.to_owned(), candidate: Some(candidate), stable }
}

pub(crate) fn gate(accuracy: f64, stable: bool) -> GateReport {
    let good = if accuracy >= 0.90 { Outcome::Successful } else { Outcome::Failed };
    let old = |value| stable.then_some(value);
    let compare = if stable {
        let outcome = if good == Outcome::Failed { Outcome::Failed } else { Outcome::Successful };
        let words = format!(
            "accuracy {accuracy} against 0.9105 of v1.0.0 on the same 114 rows: difference {:+.4}, 95% interval {:+.4} to {:+.4}, allowed loss 0.01",
            accuracy - 0.9105,
            accuracy - 0.9305,
            accuracy - 0.8895
        );
        check("not worse than stable", CheckKind::Compare, outcome, &words)
    } else {
        let words = "does not apply: there is no stable version to compare with yet";
        check("not worse than stable", CheckKind::Compare, Outcome::NotApplicable, words)
    };
    let checks = vec![
        check(
            "validation",
            CheckKind::Validation,
            Outcome::Successful,
            "validation passed, 5 of 5 golden cases",
        ),
        check(
            "tests",
            CheckKind::Tests,
            Outcome::Successful,
            "48 tests passed (2 skipped) in `reports/junit.xml`",
        ),
        check(
            "metrics",
            CheckKind::Metrics,
            Outcome::Successful,
            "`reports/metrics.json` holds 4 numbers, all finite",
        ),
        rule("accuracy", "metrics.accuracy >= 0.90", good, &[("metrics.accuracy", accuracy)]),
        rule("calibration", "metrics.ece <= 0.05", Outcome::Successful, &[("metrics.ece", 0.0312)]),
        compare,
    ];
    GateReport {
        model: Some(section().model),
        digest: Some(release("v1.1.0").digest),
        stable: stable.then(|| version("v1.0.0")),
        outcome: GateReport::worst(&checks),
        checks,
        metrics: vec![
            metric("accuracy", accuracy, old(0.9105)),
            metric("roc_auc", accuracy + 0.05, old(0.9678)),
            metric("ece", 0.0312, old(0.0409)),
            metric("rows", 114.0, old(114.0)),
        ],
    }
}

pub(crate) fn ready() -> Section {
    Section {
        decision: Some(item(
            Action::ValidateOnly,
            ReasonCode::PullRequest,
            "pull request 12 changes the artifact",
        )),
        validation: Some(ValidationReport::of(vec![artifact()])),
        gate: Some(gate(0.9385, true)),
        next: Some(NextVersion {
            version: version("v1.1.0"),
            because: "new weights behind the same signature".to_owned(),
        }),
        ..section()
    }
}

pub(crate) fn gate_failed() -> Section {
    Section { gate: Some(gate(0.83, true)), next: None, ..ready() }
}

pub(crate) fn hostile_pickle() -> Section {
    let mut bad = finding(
        "PKL101",
        Severity::Critical,
        "loading this file calls `posix.system`, which runs a command; do not load it, ask whoever made it",
    );
    bad.offset = Some(23);
    bad.target = Some("posix.system".to_owned());
    let other = finding(
        "PKL102",
        Severity::High,
        "`requests.get` is not on the list of harmless globals; export the model to ONNX or safetensors",
    );
    let pickle = ArtifactReport {
        path: "models/churn.pkl".to_owned(),
        format: "pickle".to_owned(),
        size: 71,
        verdict: tagship_domain::validation::Verdict::Reject,
        signature: None,
        facts: None,
        findings: vec![bad, other],
        golden: None,
        ..artifact()
    };
    Section { validation: Some(ValidationReport::of(vec![pickle])), gate: None, next: None, ..ready() }
}

pub(crate) fn incomplete() -> Section {
    let half = ArtifactReport {
        status: Status::Incomplete,
        findings: vec![finding(
            "ONX402",
            Severity::Low,
            "operator `com.acme::FancyNorm` is not known here; name it in `validate.custom-domains` once you trust it",
        )],
        golden: Some(GoldenReport {
            status: Status::Incomplete,
            cases: vec![],
            message: Some("the embedded runtime does not support `com.acme::FancyNorm`".to_owned()),
        }),
        ..artifact()
    };
    Section { validation: Some(ValidationReport::of(vec![half])), gate: None, next: None, ..ready() }
}

pub(crate) fn state(kind: Kind, phase: Phase, reason: Reason, weight: u8, message: &str) -> RolloutState {
    let (candidate, stable) = match kind {
        Kind::Deploy => (release("v1.1.0"), release("v1.0.0")),
        Kind::Rollback => (release("v1.0.0"), release("v1.1.0")),
    };
    let weight = Weight::percent(weight).unwrap();
    RolloutState {
        id: RolloutId(format!("production-{}-3", candidate.version)),
        kind,
        model: section().model,
        environment: section().environment.unwrap(),
        candidate,
        stable: Some(stable),
        plan: RolloutPlan::all_at_once(
            Smoke::GoldenCases {
                count: 5,
                tolerance: Tolerance { absolute: 1e-5, relative: 1e-5 },
                max_latency: None,
            },
            Duration::from_secs(600),
        ),
        phase,
        reason,
        message: message.to_owned(),
        cause: None,
        step: 0,
        settled: None,
        interrupted: None,
        waived: None,
        routing: <_>::default(),
        unfrozen: None,
        unlocked: None,
        guarded_until: None,
        weight: WeightPair { desired: weight, applied: weight },
        judges: [(
            "smoke".to_owned(),
            judge(MetricPhase::Successful, "5 of 5 golden cases passed (largest difference 1.2e-7)"),
        )]
        .into(),
        looked: None,
        assigned: false,
        queued: None,
        intended: vec![],
        seq: 9,
        started: at("03:44:33"),
        since: at("03:44:52"),
        deadline: None,
        by: report(vec![]).by,
    }
}

pub(crate) fn judge(phase: MetricPhase, message: &str) -> JudgeState {
    JudgeState::checked(phase, 5, message.to_owned())
}

pub(crate) fn entry(clock: &str, phase: Phase, weight: u8, message: &str) -> TimelineEntry {
    TimelineEntry { at: at(clock), phase, reason: None, step: None, message: message.to_owned(), weight }
}

fn story() -> Vec<TimelineEntry> {
    vec![
        entry("03:44:33", Phase::Pending, 0, "started by ada"),
        entry("03:44:34", Phase::Validating, 0, "loading v1.1.0 without traffic, then 5 golden cases"),
        entry(
            "03:44:39",
            Phase::Progressing,
            0,
            "5 of 5 golden cases passed (largest difference 1.2e-7); giving v1.1.0 all traffic",
        ),
        entry("03:44:41", Phase::Promoting, 100, "v1.1.0 has 100% of the traffic; making it stable"),
        entry("03:44:48", Phase::Finalising, 100, "v1.1.0 is stable; recording it in the registry"),
        entry("03:44:52", Phase::Succeeded, 100, "v1.1.0 serves production; it took over from v1.0.0"),
    ]
}

fn released() -> Section {
    Section {
        decision: Some(item(
            Action::Deploy,
            ReasonCode::DigestChanged,
            "the artifact differs from what production holds (v1.0.0)",
        )),
        release: Some(release("v1.1.0")),
        next: None,
        ..ready()
    }
}

pub(crate) fn succeeded() -> Section {
    let message = "v1.1.0 serves production; it took over from v1.0.0";
    Section {
        rollout: Some(state(Kind::Deploy, Phase::Succeeded, Reason::Completed, 100, message)),
        timeline: story(),
        ..released()
    }
}

/// A version that serves, with what monitoring says since.
pub(crate) fn watched(mut report: MonitorReport) -> Section {
    let section = canary::promoted();
    let serves = section.rollout.as_ref().map(|state| state.candidate.version.clone());
    report.past.truncate(1);
    for past in &mut report.past {
        past.version = serves.clone().unwrap();
    }
    if let Some(look) = &mut report.look {
        look.version = serves;
    }
    Section { monitoring: Some(Box::new(report)), ..section }
}

pub(crate) fn first_deployment() -> Section {
    let message = "v1.1.0 serves production, the first version there";
    let mut state = state(Kind::Deploy, Phase::Succeeded, Reason::Completed, 100, message);
    state.stable = None;
    let mut timeline = story();
    message.clone_into(&mut timeline[5].message);
    let first = "production holds nothing yet";
    Section {
        decision: Some(item(Action::Deploy, ReasonCode::FirstDeployment, first)),
        gate: Some(gate(0.9385, false)),
        rollout: Some(state),
        timeline,
        ..released()
    }
}

pub(crate) fn running() -> Section {
    let message = "v1.1.0 has 0% of the traffic, 100% was ordered";
    let mut state = state(Kind::Deploy, Phase::Progressing, Reason::OnTrack, 0, message);
    state.weight.desired = Weight::ALL;
    state.deadline = Some(at("03:54:39"));
    state.intended = vec![Intended {
        seq: 9,
        effect: Effect::SetWeight { weight: Weight::ALL },
        attempts: 2,
        error: Some("http://127.0.0.1:8081 refused the connection".to_owned()),
        not_before: None,
    }];
    Section { rollout: Some(state), timeline: story()[..3].to_vec(), ..released() }
}

pub(crate) fn rolled_back() -> Section {
    let cause = "1 of 5 golden cases failed, first \"new customer\": `probabilities[0][1]` is 0.8312, expected 0.4131 within 1e-5";
    let message = format!("v1.0.0 serves again: {cause}");
    let mut state = state(Kind::Deploy, Phase::RolledBack, Reason::ValidationFailed, 0, &message);
    state.cause = Some(cause.to_owned());
    state.judges.insert("smoke".to_owned(), judge(MetricPhase::Failed, cause));
    let mut timeline = story()[..2].to_vec();
    timeline.push(entry(
        "03:44:40",
        Phase::RollingBack,
        0,
        &format!("giving all traffic back to v1.0.0: {cause}"),
    ));
    timeline.push(entry("03:44:52", Phase::RolledBack, 0, &message));
    Section { rollout: Some(state), timeline, ..released() }
}

fn back_story() -> Vec<TimelineEntry> {
    vec![
        entry("09:12:01", Phase::Pending, 0, "grace asked to go back: complaints about new customers"),
        entry("09:12:02", Phase::Validating, 0, "loading v1.0.0 without traffic, then 5 golden cases"),
        entry("09:12:04", Phase::Progressing, 0, "5 of 5 golden cases passed; giving v1.0.0 all traffic"),
    ]
}

pub(crate) fn went_back() -> Section {
    let message = "v1.0.0 serves production again instead of v1.1.0";
    let mut state = state(Kind::Rollback, Phase::Succeeded, Reason::Completed, 100, message);
    "grace".clone_into(&mut state.by.actor);
    let mut timeline = back_story();
    timeline.push(entry("09:12:06", Phase::Succeeded, 100, message));
    Section { rollout: Some(state), timeline, ..released() }
}

pub(crate) fn rollback_failed() -> Section {
    let message = "a person is needed, going back failed: could not give all traffic back: the target does not answer: connection refused (went back because: 38 of 200 requests failed)";
    let mut state = state(Kind::Deploy, Phase::RollbackFailed, Reason::TargetFailed, 100, message);
    state.cause = Some("38 of 200 requests failed".to_owned());
    let mut timeline = story()[..4].to_vec();
    timeline.push(entry(
        "03:44:50",
        Phase::RollingBack,
        100,
        "giving all traffic back to v1.0.0: 38 of 200 requests failed",
    ));
    timeline.push(entry("03:44:52", Phase::RollbackFailed, 100, message));
    Section { rollout: Some(state), timeline, ..released() }
}
