//! What a terminal shows: as text to look at, and that nothing foreign acts on it.

use serde_json::json;
use tagship_domain::{
    analysis::MetricPhase,
    decision::Decision,
    gate::GateReport,
    release::Release,
    report::TimelineEntry,
    rollout::{Kind, Look, RolloutState},
    validation::{ValidationReport, Verdict},
};

use super::{Style, TimelineLine, decision, gate, look, release, rollout, validation};

const WIDE: Style = Style { color: false, width: 80, unicode: true };
const PLAIN: Style = Style { color: false, width: 80, unicode: false };

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

fn release_of(version: &str, digit: char) -> serde_json::Value {
    json!({ "model": "churn", "version": version, "digest": digest(digit), "manifest": digest('e'),
            "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" })
}

fn rejected(message: &str) -> ValidationReport {
    read(json!({ "status": "complete", "verdict": "reject", "artifacts": [{
        "path": "models/churn.pkl", "format": "pickle", "size": 2048, "sha256": digest('a'),
        "status": "complete", "verdict": "reject", "findings": [
            { "rule": "PKL101", "severity": "critical", "offset": 17, "target": "posix.system", "message": message },
            { "rule": "PKL204", "severity": "high", "message": "12 bytes follow the end of the pickle" }] }] }))
}

fn failed_gate(message: &str) -> GateReport {
    read(json!({ "model": "churn", "stable": "v1.0.0", "outcome": "failed",
        "checks": [
            { "name": "tests", "kind": "tests", "outcome": "successful", "message": "24 of 24 tests passed" },
            { "name": "accuracy floor", "kind": "rule", "outcome": "failed", "message": message,
              "expression": "metrics.accuracy >= 0.90", "saw": [{ "path": "metrics.accuracy", "value": 0.83 }] }],
        "metrics": [{ "name": "accuracy", "candidate": 0.83, "stable": 0.912 },
                    { "name": "rows", "candidate": 1200.0, "stable": 1200.0 }, { "name": "new", "candidate": 0.5 }] }))
}

fn state(phase: &str, message: &str) -> RolloutState {
    read(
        json!({ "id": "production-v1.1.0-2", "kind": "deploy", "model": "churn", "environment": "production",
        "candidate": release_of("v1.1.0", 'b'), "stable": release_of("v1.0.0", 'c'),
        "plan": { "strategy": "all-at-once", "smoke": { "check": "ready-only" }, "progress_deadline": "10m" },
        "phase": phase, "reason": "OnTrack", "message": message, "step": 0,
        "weight": { "desired": 0, "applied": 0 },
        "judges": { "smoke": { "phase": "Failed", "n": 3, "message": "1 of 3 golden cases differs" } },
         "intended": [], "seq": 9, "started": "2026-11-24T03:44:00Z", "since": "2026-11-24T03:44:41Z",
        "deadline": null, "by": { "actor": "ada" } }),
    )
}

fn story(message: &str) -> Vec<TimelineEntry> {
    read(json!([
        { "at": "2026-11-24T03:44:00Z", "phase": "Pending", "message": "ada asked for v1.1.0", "weight": 0 },
        { "at": "2026-11-24T03:44:12Z", "phase": "Progressing", "message": "golden cases passed", "weight": 25 },
        { "at": "2026-11-24T03:44:41Z", "phase": "RolledBack", "message": message, "weight": 0 }]))
}

#[test]
fn of_several_artifacts_not_all_are_rejected() {
    let bad = rejected("calls `posix.system` when loaded; export the model as ONNX").artifacts;
    let mut good = bad[0].clone();
    (good.verdict, good.findings) = (Verdict::Pass, vec![]);
    let headline =
        |artifacts| validation(&ValidationReport::of(artifacts), &WIDE).lines().next().unwrap().to_owned();
    let some = headline(vec![good.clone(), bad[0].clone()]);
    assert!(some.starts_with("✖ at least one of 2 artifacts is rejected: calls"), "{some}");
    assert_eq!(headline(vec![good.clone(), good]), "✔ 2 artifacts passed validation");
}

#[test]
fn a_rejection_names_rule_place_and_what_to_do() {
    let text = validation(&rejected("calls `posix.system` when loaded; export the model as ONNX"), &WIDE);
    insta::assert_snapshot!(text, @r"
    ✖ models/churn.pkl is rejected: calls `posix.system` when loaded (PKL101)
      models/churn.pkl · pickle · 2 KiB · sha256:aaaaaaaaaaaa
      ✖ PKL101  calls `posix.system` when loaded; export the model as ONNX
                (posix.system)
      ✖ PKL204  12 bytes follow the end of the pickle
    ");
}

#[test]
fn a_failed_gate_shows_the_number_first_and_the_metrics_beside_stable() {
    let text =
        gate(&failed_gate("`metrics.accuracy >= 0.90` does not hold with metrics.accuracy = 0.83"), &WIDE);
    insta::assert_snapshot!(text, @r"
    ✖ churn: gate failed, accuracy is 0.83, not >= 0.90
      ✖ accuracy floor  `metrics.accuracy >= 0.90` does not hold with
                        metrics.accuracy = 0.83
      ✔ tests           24 of 24 tests passed

    METRIC    CANDIDATE  STABLE v1.0.0  CHANGE
    accuracy  0.83       0.912          ▼ -0.082 (-9.0%)
    rows      1200       1200           =
    new       0.5        -
    ");
}

#[test]
fn a_rolled_back_rollout_tells_cause_story_and_command() {
    let text = rollout(
        &state("RolledBack", "golden case `typical` differs by 0.4"),
        &story("traffic is back"),
        &[],
        &WIDE,
    );
    insta::assert_snapshot!(text, @r"
    ↩ churn v1.1.0 was rolled back in production, v1.0.0 serves again
      golden case `typical` differs by 0.4

    03:44:00  ◷ Pending          ░░░░░░░░   0%  ada asked for v1.1.0
    03:44:12  ● Progressing      ██░░░░░░  25%  golden cases passed
    03:44:41  ↩ Rolled back      ░░░░░░░░   0%  traffic is back

      ✖ smoke  1 of 3 golden cases differs

    These bytes are not deployed again by themselves. To try them once more:
      tagship rollout --retry --model churn --environment production
    ");
}

fn watched(message: &str) -> RolloutState {
    let mut state = state("Progressing", message);
    let mut metrics = vec![];
    for (name, kind) in [("errors", "error-ratio"), ("latency", "latency"), (message, "labelled-accuracy")] {
        metrics.push(json!({ "name": name, "kind": kind, "judge": "two-speed", "tolerance": 1.0,
            "promote_margin": { "ratio": 1.5 }, "min_samples": 50, "label_delay": "30m", "on_no_data": "wait",
            "failure_limit": 0, "inconclusive_limit": 0, "consecutive_error_limit": 4 }));
    }
    state.plan.analysis = Some(read(json!({ "interval": "1m", "max_wait": "1h", "metrics": metrics })));
    state
}

fn a_look(message: &str) -> Look {
    let reading = |name: &str, phase: &str, numbers: serde_json::Value| {
        let mut reading = json!({ "name": name, "phase": phase, "message": message });
        reading.as_object_mut().unwrap().extend(numbers.as_object().unwrap().clone());
        reading
    };
    let none = json!({ "value": null, "stable": null, "n": [0, 0] });
    let errors = json!({ "value": 0.0082, "stable": 0.0079, "n": [52180, 4310], "e_value": 0.3, "fails_at": 25.0,
        "promotion_e_value": 31.4, "succeeds_at": 20.0 });
    let latency = json!({ "value": 84.2, "stable": 81.4, "n": [52180, 4310], "e_value": 0.4, "fails_at": 20.0,
        "promotion_e_value": 6.27, "succeeds_at": 20.0 });
    read(json!({ "at": "2026-11-24T03:45:00Z", "rollout": "production-v1.1.0-2",
        "arms": [{ "version": "v1.1.0", "digest": digest('b'), "ready": true, "weight": 25,
                   "counters": { "requests": 4310, "errors": 35 } }],
        "metrics": [reading("errors", "Successful", errors), reading("latency", "Running", latency),
                    reading(message, "Pending", none)] }))
}

#[test]
fn a_look_is_one_line_with_what_matters_most_first() {
    let line = |seen: &Look, style: Style| look(seen, &watched("accuracy"), &style);
    let seen = a_look("accuracy");
    assert_eq!(
        line(&seen, WIDE),
        "03:45:00  ●  25%  latency 84.2 ms (81.4 ms) 6.2/20 to pass, 1 more, 1 good\n"
    );
    assert_eq!(
        line(&seen, Style { width: 100, unicode: false, ..WIDE }),
        "03:45:00  >>  25%  latency 84.2 ms (81.4 ms) 6.2/20 to pass, accuracy no data, 1 good\n"
    );
    let silent = Look { unreachable: Some("connection refused".to_owned()), arms: vec![], ..seen.clone() };
    assert_eq!(line(&silent, WIDE), "03:45:00  ?    -  the target did not answer: connection refused\n");
    let mut bad = seen;
    let accuracy = &mut bad.metrics[2];
    accuracy.phase = MetricPhase::Failed;
    accuracy.measurement =
        read(json!({ "value": 0.872, "stable": 0.921, "n": [24_870, 2_310], "e_value": 24.19,
        "fails_at": 20.0 }));
    assert_eq!(
        line(&bad, WIDE),
        "03:45:00  ✖  25%  accuracy 87.2% (92.1%) 24.1/20 to fail, 1 more, 1 good\n"
    );
}

#[test]
fn whatever_a_metric_is_called_a_look_stays_on_its_line() {
    for name in ["\u{1b}[2J\u{1b}]0;owned\u{7}", "a\r\nFAKE", "\u{202e}dessap", &"long ".repeat(90), ""] {
        for style in [WIDE, PLAIN] {
            let text = look(&a_look(name), &watched(name), &style);
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(
                text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'),
                "{text:?}"
            );
            assert!(crate::text::columns(text.trim_end()) <= 80, "{text:?}");
            let whole = rollout(&watched(name), &[], &[], &style);
            assert!(whole.chars().all(|c| c == '\n' || !c.is_control()), "{whole:?}");
            assert!(whole.lines().all(|line| crate::text::columns(line) <= 80), "{whole}");
        }
    }
}

#[test]
fn decisions_of_several_models_are_a_table() {
    let decision_of: Decision = read(json!({ "action": "deploy", "reason_code": "several",
        "sentence": "2 models were considered", "sha": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "items": [
            { "model": "churn", "environment": "production", "action": "deploy", "reason_code": "digest-changed",
              "sentence": "the bytes of churn differ from v1.0.0 in production" },
            { "model": "fraud", "action": "skip", "reason_code": "already-deployed",
              "sentence": "production already holds these bytes of fraud as v2.0.1" }] }));
    insta::assert_snapshot!(decision(&decision_of, &WIDE), @r"
    2 models were considered

    MODEL  ENVIRONMENT  ACTION  WHY
    churn  production   deploy  the bytes of churn differ from v1.0.0 in production
    fraud  -            skip    production already holds these bytes of fraud as
                                v2.0.1
    ");
}

#[test]
fn a_release_names_its_bytes_and_why_it_got_its_version() {
    let made: Release = read(release_of("v1.1.0", 'b'));
    insta::assert_snapshot!(release(&made, Some("new weights behind the same signature"), &WIDE), @r"
    ✔ churn@v1.1.0 is released
      bytes  sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      from   commit 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567
      why    new weights behind the same signature
    ");
}

#[test]
fn without_unicode_everything_is_ascii() {
    let everything = [
        validation(&rejected("日本 → …"), &PLAIN),
        gate(&failed_gate("é"), &PLAIN),
        rollout(&state("RolledBack", "–"), &story("✔"), &[], &PLAIN),
    ];
    assert!(everything.concat().is_ascii(), "{}", everything.concat());
}

#[test]
fn no_foreign_text_acts_on_the_terminal_or_leaves_its_line() {
    for hostile in
        ["\u{1b}[2J\u{1b}]0;owned\u{7}", "a\r\nFAKE LINE", "\u{9b}31m", "\u{202e}dessap", "\u{8}\u{8}ok"]
    {
        let entry = &story(hostile)[2];
        let texts = [
            validation(&rejected(hostile), &WIDE),
            gate(&failed_gate(hostile), &WIDE),
            rollout(&state("RolledBack", hostile), &story(hostile), &[], &WIDE),
            TimelineLine::of(entry, Kind::Deploy).render(&WIDE),
        ];
        for text in texts {
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(
                !text.contains('\u{202e}') && !text.lines().any(|line| line.starts_with("FAKE")),
                "{text}"
            );
        }
    }
}

#[test]
fn colour_is_added_only_where_it_is_wanted() {
    let colored = Style { color: true, ..WIDE };
    let text = gate(&failed_gate("x"), &colored);
    assert!(text.contains("\u{1b}[1;31m"));
    let mut bare = text;
    for code in ["0", "1", "2", "32", "1;31"] {
        bare = bare.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(bare, gate(&failed_gate("x"), &WIDE));
}

#[test]
fn lines_stay_within_eighty_columns() {
    let long = "one sentence that goes on and on ".repeat(9);
    let texts = [
        validation(&rejected(&long), &WIDE),
        gate(&failed_gate(&long), &WIDE),
        rollout(&state("RolledBack", &long), &story(&long), &[], &WIDE),
    ];
    for line in texts.concat().lines() {
        assert!(crate::text::columns(line) <= 80, "{line}");
    }
}
