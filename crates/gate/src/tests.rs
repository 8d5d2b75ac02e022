//! The gate as its users meet it: files in, one line per check out.

use proptest::prelude::*;
use serde_json::json;
use tagship_config::{CompareSettings, CompareTest, GateSettings, Rule, TestSettings};
use tagship_domain::{
    Digest, Exit, Version,
    gate::{CheckKind, GateCheck, GateReport, Outcome},
    validation::{ArtifactReport, Finding, Severity, Status, ValidationReport, Verdict},
};
use tagship_ports::forge::{CheckState, CommitCheck};

use super::*;

/// What a test changes of a request in which nothing is given and nothing is asked.
#[derive(Default)]
struct Given {
    settings: GateSettings,
    digest: Option<Digest>,
    validation: Option<ValidationReport>,
    commit_checks: Vec<CommitCheck>,
    tests: Vec<ReportFile>,
    metrics: Option<ReportFile>,
    predictions: Option<ReportFile>,
    stable: Option<StableEvidence>,
}

impl Given {
    fn judge(&self) -> GateReport {
        judge(&GateRequest {
            settings: &self.settings,
            model: None,
            digest: self.digest.as_ref(),
            validation: self.validation.as_ref(),
            commit_checks: &self.commit_checks,
            tests: &self.tests,
            metrics: self.metrics.as_ref(),
            predictions: self.predictions.as_ref(),
            stable: self.stable.as_ref(),
        })
    }

    /// The only check of its kind.
    fn check(&self, kind: CheckKind) -> GateCheck {
        self.judge().checks.into_iter().find(|check| check.kind == kind).expect("a check of the kind")
    }
}

fn file(path: &str, content: &str) -> ReportFile {
    ReportFile { path: path.to_owned(), content: Ok(content.as_bytes().to_vec()) }
}

fn missing(path: &str) -> ReportFile {
    ReportFile { path: path.to_owned(), content: Err("no file matches".to_owned()) }
}

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn stable(metrics: &[(&str, f64)], predictions: Option<ReportFile>) -> StableEvidence {
    let metrics = metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    StableEvidence { version: Version::new(1, 2, 0), metrics, predictions }
}

#[track_caller]
fn expect(check: &GateCheck, outcome: Outcome, part: &str) {
    assert!(check.outcome == outcome && check.message.contains(part), "{check:?} is not {outcome}: {part}");
}

mod validation {
    use super::*;

    fn artifact(byte: u8, status: Status, verdict: Verdict) -> ArtifactReport {
        let finding = Finding {
            rule: "PKL101".into(),
            severity: Severity::Critical,
            member: None,
            offset: None,
            target: None,
            message: "calls os.system".to_owned(),
            suppressed: None,
            excerpt: vec![],
        };
        ArtifactReport {
            path: "models/churn.onnx".to_owned(),
            format: "onnx".to_owned(),
            size: 10,
            sha256: Some(digest(byte)),
            status,
            verdict,
            signature: None,
            facts: None,
            findings: if verdict == Verdict::Pass { vec![] } else { vec![finding] },
            golden: None,
        }
    }

    #[track_caller]
    fn check(judged: Option<u8>, artifacts: Option<Vec<ArtifactReport>>, outcome: Outcome, part: &str) {
        let given = Given {
            digest: judged.map(digest),
            validation: artifacts.map(ValidationReport::of),
            ..Given::default()
        };
        expect(&given.check(CheckKind::Validation), outcome, part);
    }

    #[test]
    fn it_passed_and_for_these_bytes() {
        let good = || artifact(1, Status::Complete, Verdict::Pass);
        check(
            Some(1),
            Some(vec![good()]),
            Outcome::Successful,
            "passed models/churn.onnx (sha256:010101010101)",
        );
        check(None, Some(vec![good()]), Outcome::Successful, "passed");
        check(
            Some(2),
            Some(vec![good()]),
            Outcome::Failed,
            "other bytes than the judged sha256:020202020202",
        );
        let warned = artifact(1, Status::Complete, Verdict::Warn);
        check(Some(1), Some(vec![warned]), Outcome::Successful, ", though PKL101 warns: calls os.system");
        check(Some(1), None, Outcome::Inconclusive, "nothing says that sha256:010101010101 was validated");
        let bad = artifact(1, Status::Complete, Verdict::Reject);
        check(Some(1), Some(vec![good(), bad]), Outcome::Failed, "rejected models/churn.onnx: PKL101 calls");
        let cut = artifact(1, Status::Incomplete, Verdict::Pass);
        check(Some(1), Some(vec![cut]), Outcome::Inconclusive, "incomplete: models/churn.onnx (onnx)");
        check(Some(1), Some(vec![]), Outcome::Inconclusive, "judged no artifact");
        check(
            Some(1),
            Some(vec![artifact(1, Status::Error, Verdict::Pass)]),
            Outcome::Error,
            "could not read",
        );
    }

    #[test]
    fn the_report_names_the_bytes_that_were_judged() {
        let good = artifact(1, Status::Complete, Verdict::Pass);
        let given = Given { validation: Some(ValidationReport::of(vec![good])), ..Given::default() };
        assert_eq!(given.judge().digest, Some(digest(1)));
    }
}

#[test]
fn nothing_to_judge_is_not_a_pass() {
    let report = Given::default().judge();
    assert_eq!((report.outcome, report.exit()), (Outcome::Inconclusive, Exit::Incomplete));
}

mod commit_checks {
    use super::*;

    #[track_caller]
    fn check(states: &[CheckState], outcome: Outcome, part: &str) {
        let check = |state: &CheckState| CommitCheck { name: "unit".to_owned(), state: *state };
        let given = Given {
            settings: GateSettings { checks: vec!["unit".to_owned()], ..GateSettings::default() },
            commit_checks: states.iter().map(check).collect(),
            ..Given::default()
        };
        expect(&given.check(CheckKind::Checks), outcome, part);
    }

    #[test]
    fn only_green_is_green() {
        use CheckState::{Failure, Pending, Success};
        check(&[Success], Outcome::Successful, "`unit` is green");
        check(&[Failure], Outcome::Failed, "`unit` failed");
        check(&[Pending], Outcome::Inconclusive, "has not finished");
        check(&[Success, Failure, Pending], Outcome::Failed, "`unit` failed");
        check(&[], Outcome::Inconclusive, "no check named `unit`; it has none");
    }
}

mod test_reports {
    use super::*;

    #[track_caller]
    fn check(files: &[ReportFile], settings: (u64, u64), outcome: Outcome, part: &str) {
        let (min, allow_flaky) = settings;
        let given = Given {
            settings: GateSettings { tests: TestSettings { min, allow_flaky }, ..GateSettings::default() },
            tests: files.to_vec(),
            ..Given::default()
        };
        expect(&given.check(CheckKind::Tests), outcome, part);
    }

    fn suite(cases: &str) -> ReportFile {
        file("r.xml", &format!("<testsuite>{cases}</testsuite>"))
    }

    #[test]
    fn they_pass_when_enough_ran_and_none_failed() {
        let two = suite("<testcase/><testcase/>");
        check(&[two.clone(), two.clone()], (4, 0), Outcome::Successful, "4 tests passed");
        check(std::slice::from_ref(&two), (3, 0), Outcome::Failed, "2 tests passed, at least 3 must");
        check(
            &[suite("<testcase/><testcase><skipped/></testcase>")],
            (1, 0),
            Outcome::Successful,
            "1 skipped",
        );
        let bad = suite("<testcase name='t1'><failure/></testcase>");
        check(&[two.clone(), bad.clone()], (1, 0), Outcome::Failed, "1 of 3 tests failed: t1");
        check(&[missing("x"), bad], (1, 0), Outcome::Failed, "1 of 1 test failed");
    }

    #[test]
    fn flaky_tests_count_up_to_the_allowance() {
        let flaky = suite("<testcase><flakyFailure/></testcase><testcase/>");
        check(
            std::slice::from_ref(&flaky),
            (1, 0),
            Outcome::Failed,
            "1 of 2 tests passed only when run again, 0 may",
        );
        check(&[flaky], (1, 1), Outcome::Successful, "2 tests passed, 1 only when run again");
    }

    #[test]
    fn what_was_not_run_or_cannot_be_read_is_not_passed() {
        let good = suite("<testcase/>");
        check(&[suite("")], (1, 0), Outcome::Inconclusive, "there is no test in 1 report");
        let skipped = suite("<testcase><skipped/></testcase>");
        check(&[skipped], (1, 0), Outcome::Inconclusive, "none of 1 test ran (1 skipped)");
        check(
            &[good.clone(), missing("b/*.xml")],
            (1, 0),
            Outcome::Inconclusive,
            "b/*.xml (no file matches)",
        );
        check(&[good, file("b.xml", "<html/>")], (1, 0), Outcome::Error, "b.xml: its root element is <html>");
    }

    #[test]
    fn attributes_that_lie_are_noted_and_hidden_failures_are_not_passed() {
        let more = file("r.xml", "<testsuite tests='5'><testcase/></testsuite>");
        check(&[more], (1, 0), Outcome::Successful, "claims 0 of 5 tests failed but lists 0 of 1");
        let hidden = file("r.xml", "<testsuite tests='1' failures='1'><testcase/></testsuite>");
        check(&[hidden], (1, 0), Outcome::Inconclusive, "claims 1 of 1 test failed but lists 0 of 1");
    }
}

mod metrics {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, outcome: Outcome, part: &str) {
        let given = Given { metrics: Some(file(path, text)), ..Given::default() };
        expect(&given.check(CheckKind::Metrics), outcome, part);
    }

    #[test]
    fn json_and_yaml_are_read_nested() {
        let text = r#"{"accuracy": 0.9, "per class": {"cat.f1": 1, "n": 3}, "folds": [1, 2], "ok": true, "by": "me"}"#;
        check("m.json", text, Outcome::Successful, "m.json holds 3 metrics, all finite");
        check("m.yaml", "accuracy: 0.9\nper_class: {cat: 1}\n", Outcome::Successful, "holds 2 metrics");
        let given = Given {
            metrics: Some(file("m.json", text)),
            stable: Some(stable(&[("accuracy", 0.8), ("auc", 0.7)], None)),
            ..Given::default()
        };
        let rows: Vec<_> =
            given.judge().metrics.into_iter().map(|m| (m.name, m.candidate, m.stable)).collect();
        let expected = [
            ("accuracy", Some(0.9), Some(0.8)),
            ("auc", None, Some(0.7)),
            ("per class.n", Some(3.0), None),
            (r#"per class["cat.f1"]"#, Some(1.0), None),
        ];
        assert_eq!(rows, expected.map(|(name, candidate, stable)| (name.to_owned(), candidate, stable)));
    }

    #[test]
    fn what_is_no_number_fails_the_gate() {
        check("m.json", r#"{"f1": NaN, "a": 1}"#, Outcome::Failed, "not a finite number: metrics.f1");
        check("m.json", r#"{"a": {"b": [1, -Infinity]}}"#, Outcome::Failed, "metrics.a.b[1]");
        check("m.json", r#"{"f1": "nan", "top-5": "Infinity"}"#, Outcome::Failed, r#"f1, metrics["top-5"]"#);
        check("m.yml", "f1: .nan\n", Outcome::Failed, "metrics.f1 = NaN");
        check("m.yml", "f1: '-.inf'\n", Outcome::Failed, "metrics.f1");
        check("m.json", r#"{"note": "NaN in \"NaN\" text", "a": 1}"#, Outcome::Successful, "1 metric,");
    }

    #[test]
    fn broken_files_are_errors_and_empty_ones_undecided() {
        check("m.json", r#"{"a": 1, "a": 2}"#, Outcome::Error, r#"the key "a" stands twice"#);
        check("m.yaml", "a: 1\na: 2\n", Outcome::Error, "m.yaml");
        check("m.json", r#"{"a": 1e999}"#, Outcome::Error, "number out of range");
        check("m.json", "[1]", Outcome::Error, "not an object");
        check("m.json", "{\"a\": 1", Outcome::Error, "m.json: EOF");
        check("m.json", &"[".repeat(100_000), Outcome::Error, "recursion limit");
        check("m.json", "{\"a\": \"\u{1b}\"}", Outcome::Error, "control character");
        check("m.json", r#"{"ok": true}"#, Outcome::Inconclusive, "holds no number");
        let many: serde_json::Map<_, _> = (0..=MAX_METRICS).map(|i| (format!("m{i}"), json!(i))).collect();
        check("m.json", &json!(many).to_string(), Outcome::Error, "1001 metrics, at most 1000");
        let given = Given { metrics: Some(missing("m.json")), ..Given::default() };
        expect(&given.check(CheckKind::Metrics), Outcome::Inconclusive, "missing: m.json (no file matches)");
    }
}

mod rules {
    use super::*;

    fn settings(expr: &str) -> GateSettings {
        let rule = Rule { name: "the rule".to_owned(), expr: expr.to_owned() };
        GateSettings { rules: vec![rule], ..GateSettings::default() }
    }

    fn given(expr: &str) -> Given {
        Given {
            settings: settings(expr),
            metrics: Some(file("m.json", r#"{"accuracy": 0.93, "f1": NaN, "top-5": 1, "n": 3}"#)),
            tests: vec![file("r.xml", "<testsuite><testcase/></testsuite>")],
            stable: Some(stable(&[("accuracy", 0.94), ("top-5", 0.9)], None)),
            ..Given::default()
        }
    }

    #[track_caller]
    fn check(expr: &str, outcome: Outcome, part: &str) {
        expect(&given(expr).check(CheckKind::Rule), outcome, part);
    }

    #[test]
    fn each_is_shown_with_the_values_it_saw() {
        let text = "`metrics.accuracy >= 0.9` holds with metrics.accuracy = 0.93";
        check("metrics.accuracy >= 0.9", Outcome::Successful, text);
        let text = "does not hold with metrics.accuracy = 0.93 and stable.metrics.accuracy = 0.94";
        check("metrics.accuracy >= stable.metrics.accuracy", Outcome::Failed, text);
        check(r#"metrics["top-5"] > stable.metrics["top-5"]"#, Outcome::Successful, "holds with");
        check("stable.version == 'v1.2.0' && tests.passed == 1", Outcome::Successful, "tests.passed = 1");
        check("true", Outcome::Successful, "`true` holds");
        let saw = given("metrics.accuracy > metrics.auc").check(CheckKind::Rule).saw;
        assert_eq!(
            saw.iter().map(|seen| seen.path.as_str()).collect::<Vec<_>>(),
            ["metrics.accuracy", "metrics.auc"]
        );
        assert!(saw[1].value.is_none());
    }

    #[test]
    fn unknown_is_never_good() {
        check("metrics.auc > 0.5", Outcome::Inconclusive, "metrics.auc is missing");
        check("validation.verdict == 'pass'", Outcome::Inconclusive, "validation.verdict is missing");
        check("metrics.f1 > 0.5", Outcome::Failed, "metrics.f1 is not a finite number");
        check("metrics.f1 != 0.5", Outcome::Failed, "metrics.f1 is not a finite number");
        check("has(metrics.f1)", Outcome::Failed, "metrics.f1 is not a finite number");
        check("metrics.accuracy > 'x'", Outcome::Error, "cannot compare");
        check("metric.accuracy > 0", Outcome::Error, "no `metric`; known are metrics, stable, tests");
        check("metrics.accuracy >", Outcome::Error, "line 1, column");
        let mut broken = given("tests.failed == 0");
        broken.tests.push(missing("other.xml"));
        expect(&broken.check(CheckKind::Rule), Outcome::Inconclusive, "tests.failed is missing");
    }

    #[test]
    fn without_stable_a_comparison_does_not_apply_unless_a_baseline_is_required() {
        let mut first = given("metrics.accuracy > stable.metrics.accuracy");
        first.stable = None;
        expect(&first.check(CheckKind::Rule), Outcome::NotApplicable, "no stable version");
        first.settings.require_baseline = true;
        expect(&first.check(CheckKind::Rule), Outcome::Inconclusive, "a baseline is required");
    }

    #[test]
    fn mistakes_are_found_without_data() {
        assert_eq!(check_rules(&settings("metrics.a > 0").rules), Ok(()));
        let errors = check_rules(&settings("metrcs.a > 0").rules).unwrap_err();
        assert!(errors[0].to_string().starts_with("rule \"the rule\": there is no `metrcs`"), "{errors:?}");
        assert_eq!(errors[0].source.excerpt().unwrap(), "metrcs.a > 0\n^");
    }
}

mod compare {
    use std::fmt::Write;

    use super::*;

    /// Predictions of `rows` rows labelled 1, wrong on the rows in `wrong`.
    fn predictions(rows: usize, wrong: std::ops::Range<usize>) -> ReportFile {
        let mut text = "id,label,prediction,score\n".to_owned();
        for row in 0..rows {
            let _ = writeln!(text, "r{row},1,{},0.5", u8::from(!wrong.contains(&row)));
        }
        file("p.csv", &text)
    }

    fn given(test: CompareTest, old: Option<ReportFile>, new: Option<ReportFile>) -> Given {
        let compare = Some(CompareSettings { test, margin: 0.01 });
        Given {
            settings: GateSettings { compare, ..GateSettings::default() },
            predictions: new,
            stable: Some(stable(&[], old)),
            ..Given::default()
        }
    }

    #[track_caller]
    fn check(old: &ReportFile, new: &ReportFile, outcome: Outcome, part: &str) {
        for test in [CompareTest::Mcnemar, CompareTest::Bootstrap] {
            let given = given(test, Some(old.clone()), Some(new.clone()));
            expect(&given.check(CheckKind::Compare), outcome, part);
        }
    }

    #[test]
    fn the_interval_against_the_margin_decides() {
        let part = "no worse than the margin allows: accuracy +0.0150 against v1.2.0";
        check(&predictions(2000, 0..50), &predictions(2000, 0..20), Outcome::Successful, part);
        check(&predictions(2000, 0..0), &predictions(2000, 0..0), Outcome::Successful, "b = 0");
        let part = "worse than the margin allows: accuracy -0.0500";
        check(&predictions(2000, 0..0), &predictions(2000, 0..100), Outcome::Failed, part);
        check(
            &predictions(2000, 0..0),
            &predictions(2000, 0..20),
            Outcome::Failed,
            "worse, by how much is open",
        );
        check(&predictions(50, 0..0), &predictions(50, 0..0), Outcome::Inconclusive, "too few rows to tell");
        check(
            &predictions(50, 0..2),
            &predictions(50, 3..5),
            Outcome::Inconclusive,
            "McNemar (exact) p = 1.0000",
        );
    }

    #[test]
    fn the_sentence_has_every_number() {
        let given =
            given(CompareTest::Mcnemar, Some(predictions(1000, 0..25)), Some(predictions(1000, 25..35)));
        let message = given.check(CheckKind::Compare).message;
        let expected = "no worse than the margin allows: accuracy +0.0150 against v1.2.0, 95 % interval [+0.0033, \
            +0.0267], margin 0.01, n = 1000, right only in stable b = 10, only in the candidate c = 25, McNemar \
            (corrected) p = 0.0180";
        assert_eq!(message, expected);
    }

    #[test]
    fn order_and_spelling_of_classes_do_not_matter() {
        let old = file("p.csv", "label,id,prediction\n1,a,1.0\ncat,b,dog\n");
        let new = file("p.csv", "id,prediction,label,extra\r\n\"b\", cat ,cat,x\r\na,1,1.0,y\r\n");
        check(
            &old,
            &new,
            Outcome::Inconclusive,
            "n = 2, right only in stable b = 0, only in the candidate c = 1",
        );
    }

    #[test]
    fn other_rows_or_labels_cannot_be_compared() {
        let part = "8 are shared, 2 only in v1.2.0, 0 only in the candidate";
        check(&predictions(10, 0..0), &predictions(8, 0..0), Outcome::Inconclusive, part);
        let old = file("p.csv", "id,label,prediction\na,0,1\nb,1,1\n");
        let new = file("p.csv", "id,label,prediction\na,1,1\nb,1,1\n");
        check(
            &old,
            &new,
            Outcome::Inconclusive,
            "1 of 2 rows have another label than for v1.2.0, the first is a",
        );
        check(&predictions(0, 0..0), &predictions(0, 0..0), Outcome::Inconclusive, "hold no row");
    }

    #[test]
    fn broken_predictions_are_errors() {
        let check_new =
            |text: &str, part| check(&predictions(3, 0..0), &file("n.csv", text), Outcome::Error, part);
        check_new("id,label,prediction\na,1,1\na,1,1\n", "line 3 has the id \"a\" of an earlier line");
        check_new(
            "id,label\na,1\n",
            "no column \"prediction\"; `id`, `label` and `prediction` are needed, it has id, label",
        );
        check_new("id,label,prediction\na,1\n", "n.csv: CSV error");
        check_new("id,label,prediction\na,,1\n", "line 2 has no label");
        check_new("PAR1\u{0}\u{0}", "Parquet");
        check_new("", "no column \"id\"");
    }

    #[test]
    fn what_is_missing_is_said() {
        let rows = || Some(predictions(3, 0..0));
        let message = |old, new| given(CompareTest::Mcnemar, old, new).check(CheckKind::Compare).message;
        assert!(message(None, rows()).contains("v1.2.0 was released without its predictions"));
        assert!(message(rows(), None).contains("no predictions file"));
        assert!(message(rows(), Some(missing("p.csv"))).contains("missing: p.csv"));
        let mut first = given(CompareTest::Mcnemar, None, rows());
        first.stable = None;
        expect(&first.check(CheckKind::Compare), Outcome::NotApplicable, "no stable version");
        first.settings.require_baseline = true;
        expect(&first.check(CheckKind::Compare), Outcome::Inconclusive, "a baseline is required");
    }
}

#[test]
fn the_worst_check_is_the_outcome_and_order_is_fixed() {
    let rule = |name: &str, expr: &str| Rule { name: name.to_owned(), expr: expr.to_owned() };
    let given = Given {
        settings: GateSettings {
            checks: vec!["lint".to_owned()],
            rules: vec![rule("floor", "metrics.a > 0.5"), rule("gone", "metrics.b > 0.5")],
            compare: Some(CompareSettings::default()),
            ..GateSettings::default()
        },
        commit_checks: vec![CommitCheck { name: "lint".to_owned(), state: CheckState::Success }],
        tests: vec![file("r.xml", "<testsuite><testcase/></testsuite>")],
        metrics: Some(file("m.json", r#"{"a": 1}"#)),
        ..Given::default()
    };
    let report = given.judge();
    let names: Vec<_> = report.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["lint", "tests", "metrics", "floor", "gone", "same rows as stable"]);
    assert_eq!(report.outcome, Outcome::Inconclusive);
    assert_eq!(report.exit(), Exit::Incomplete);
}

proptest! {
    #[test]
    fn any_files_give_a_report(
        metrics in "\\PC{0,60}", junit in "\\PC{0,60}", new in "[id,labe\\nprcton\"]{0,60}", yaml in any::<bool>(),
    ) {
        let path = if yaml { "m.yaml" } else { "m.json" };
        let given = Given {
            settings: GateSettings {
                rules: vec![Rule { name: "r".to_owned(), expr: "metrics.a > 0 && tests.ran > 0".to_owned() }],
                compare: Some(CompareSettings::default()),
                ..GateSettings::default()
            },
            tests: vec![file("r.xml", &junit)],
            metrics: Some(file(path, &metrics)),
            predictions: Some(file("n.csv", &new)),
            stable: Some(stable(&[], Some(file("o.csv", "id,label,prediction\na,1,1\n")))),
            ..Given::default()
        };
        prop_assert!(given.judge().outcome > Outcome::Successful);
    }
}
