//! Scores of labelled predictions through the programs: judged once, at the horizon, from files in the repository.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use tagship_testkit::Output;

use crate::workbench::Workbench;

/// A canary whose errors are always fine and whose predictions are labelled.
struct Bench {
    bench: Workbench,
    requests: u64,
}

impl Bench {
    /// v0.2.0 is released beside v0.1.0; `score` says what is computed.
    fn new(score: &str) -> Self {
        Self::over("labels.csv", score)
    }

    /// The same, with the labels in this file.
    fn over(file: &str, score: &str) -> Self {
        let bench = Workbench::with_server();
        bench.run_push().assert_code(0);
        let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
        let settings = format!(
            "        strategy: {{ canary: {{ steps: [ {{ set-weight: 50 }}, {{ pause: 3s }} ] }} }}\n\
             \x20       analysis:\n\
             \x20         interval: 1s\n\
             \x20         metrics:\n\
             \x20           - {{ name: errors, kind: error-ratio }}\n\
             \x20           - {{ name: quality, kind: score, {score}, source: {{ predictions: {{ files: [{file}] }} }} }}\n"
        );
        bench.clone.write("tagship.yml", format!("{config}{settings}"));
        bench.put("v2");
        bench.push("Bring v2");
        for verb in ["validate", "gate", "release"] {
            bench.run(&[verb]).assert_code(0);
        }
        Self { bench, requests: 0 }
    }

    /// Labels: every second row is of the class `1`; what a version says of row `at` is asked.
    fn label(&self, rows: u32, says: impl Fn(&str, u32) -> f64) {
        let mut text = "version,prediction,label\n".to_owned();
        for at in 0..rows {
            for version in ["v0.1.0", "v0.2.0"] {
                let _ = writeln!(text, "{version},{},{}", says(version, at), at % 2);
            }
        }
        self.bench.clone.write("labels.csv", text);
    }

    /// More requests without an error more than stable's, and one tick.
    fn tick(&mut self) -> Output {
        self.requests += 4000;
        let mut text = "# TYPE tagship_requests_total counter\n".to_owned();
        let labels = |version: &str| format!("model=\"churn\",version=\"{version}\",route=\"weighted\"");
        for version in ["v0.1.0", "v0.2.0"] {
            let (labels, requests) = (labels(version), self.requests);
            let _ = writeln!(text, "tagship_requests_total{{{labels},outcome=\"answered\"}} {requests}");
        }
        text += "# TYPE tagship_errors_total counter\n";
        for version in ["v0.1.0", "v0.2.0"] {
            let _ = writeln!(text, "tagship_errors_total{{{}}} {}", labels(version), self.requests / 100);
        }
        let page = self.bench.clone.write(".tagship/metrics.prom", text).display().to_string();
        self.bench.run(&["rollout", "--once", "--metrics", &page])
    }

    fn state(&self) -> serde_json::Value {
        let state = self.bench.clone.git(&["show", "refs/tagship/rollouts/production/churn:rollout.json"]);
        serde_json::from_str(&state).unwrap()
    }

    /// Ticks until the rollout is over or the ticks are.
    fn ends(&mut self) -> (String, Output) {
        for _ in 0..200 {
            let said = self.tick();
            let phase = self.state()["phase"].as_str().unwrap().to_owned();
            if ["Succeeded", "RolledBack", "Paused"].contains(&phase.as_str()) {
                return (phase, said);
            }
        }
        panic!("it never ended: {}", self.state());
    }
}

/// The rows of [`Bench::label`] as a Parquet file.
fn write_parquet(path: &Path, rows: u32, says: impl Fn(&str, u32) -> f64) {
    fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, values: &[T::T]) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
    }

    let schema = "message rows { required binary version (STRING); required double prediction; required int32 label; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut writer =
        SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::builder().build())).unwrap();
    for version in ["v0.1.0", "v0.2.0"] {
        let mut group = writer.next_row_group().unwrap();
        let versions: Vec<ByteArray> = (0..rows).map(|_| ByteArray::from(version)).collect();
        column::<ByteArrayType>(&mut group, &versions);
        column::<DoubleType>(&mut group, &(0..rows).map(|at| says(version, at)).collect::<Vec<_>>());
        let labels: Vec<i32> = (0..rows).map(|at| i32::from(at % 2 == 1)).collect();
        column::<Int32Type>(&mut group, &labels);
        group.close().unwrap();
    }
    writer.close().unwrap();
}

/// Right on all rows but this many of a hundred.
fn class(at: u32, wrong: u32) -> f64 {
    let truth = at % 2;
    f64::from(if at * 37 % 100 < wrong { 1 - truth } else { truth })
}

const F1: &str = "score: f1, positive: 1, margin: 0.05, horizon: { rows: 800 }";

#[test]
fn a_good_f1_lets_the_version_through_and_a_bad_one_leads_back() {
    let mut bench = Bench::new(F1);
    bench.label(799, |_, at| class(at, 95));
    for _ in 0..3 {
        bench.tick().assert_code(6);
    }
    let waits = bench.state();
    let judge = &waits["judges"]["quality"];
    assert_ne!(judge["phase"], "Failed", "nothing is decided before the horizon: {judge}");
    // The same place in the file, now with what became of it.
    bench.label(800, |_, at| class(at, 5));
    let (phase, _) = bench.ends();
    assert_eq!(phase, "Succeeded");
    let judged = bench.state()["judges"]["quality"].clone();
    assert_eq!((&judged["phase"], &judged["looks"]["measured"]), (&"Successful".into(), &1.into()));
    assert_eq!(judged["evidence"]["test"]["horizon"]["rows"], serde_json::json!([800, 800]));
    assert_eq!(bench.bench.production().as_deref(), Some("v0.2.0"));

    let mut bench = Bench::new(F1);
    bench.label(800, |version, at| class(at, if version == "v0.2.0" { 25 } else { 5 }));
    let (phase, said) = bench.ends();
    assert_eq!(phase, "RolledBack", "{}", said.stdout);
    said.assert_code(1);
    let cause = bench.state()["cause"].as_str().unwrap().to_owned();
    assert!(
        cause.contains("f1 0.75") && cause.contains("judged once, at 800 labelled predictions"),
        "{cause}"
    );
    assert_eq!(bench.bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn predictions_in_parquet_are_judged_like_those_in_csv() {
    for (wrong, end) in [(5, "Succeeded"), (25, "RolledBack")] {
        let mut bench = Bench::over("labels.parquet", F1);
        let path = bench.bench.clone.path().join("labels.parquet");
        write_parquet(&path, 800, |version, at| class(at, if version == "v0.2.0" { wrong } else { 5 }));
        let (phase, said) = bench.ends();
        assert_eq!(phase, end, "{} {}", said.stdout, bench.state()["judges"]["quality"]);
        let rows = bench.state()["judges"]["quality"]["evidence"]["test"]["horizon"]["rows"].clone();
        assert_eq!(rows, serde_json::json!([800, 800]));
    }
}

#[test]
fn a_damaged_parquet_file_promotes_nobody() {
    let mut bench = Bench::over("labels.parquet", F1);
    let path = bench.bench.clone.path().join("labels.parquet");
    write_parquet(&path, 800, |_, at| class(at, 5));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let (phase, said) = bench.ends();
    assert_eq!(phase, "RolledBack", "{} {}", said.stdout, bench.state()["message"]);
    let cause = bench.state()["cause"].as_str().unwrap().to_owned();
    assert!(cause.contains("labels.parquet") && cause.contains("cannot be read as Parquet"), "{cause}");
    assert_eq!(bench.bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn an_area_under_the_curve_is_judged_by_its_ranks() {
    const AUC: &str = "score: auc, positive: 1, margin: 0.05, horizon: { rows: 600 }";
    // Scores of both classes overlap by a spread; a smaller step between them ranks worse.
    let score = |at: u32, step: f64| f64::from(at * 37 % 100) / 100.0 + step * f64::from(at % 2);
    for (step, end) in [(0.6, "Succeeded"), (0.2, "RolledBack")] {
        let mut bench = Bench::new(AUC);
        bench.label(600, |version, at| score(at, if version == "v0.2.0" { step } else { 0.6 }));
        let (phase, said) = bench.ends();
        assert_eq!(phase, end, "{} {}", said.stdout, bench.state()["judges"]["quality"]);
    }
}

#[test]
fn the_plan_says_when_it_is_judged_and_that_it_never_promotes_alone() {
    let bench = Bench::new(F1).bench;
    let plan = bench.run(&["plan", "--rate", "100/s", "--error-ratio", "1%", "--label-share", "20%"]);
    assert!(
        plan.stdout.contains("judged once, at 800 labelled predictions"),
        "{}\n{}",
        plan.stdout,
        plan.stderr
    );
    assert!(plan.stdout.contains("never promotes alone"), "{}", plan.stdout);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    bench
        .clone
        .write("tagship.yml", config.replace("            - { name: errors, kind: error-ratio }\n", ""));
    let refused = bench.run(&["plan"]);
    refused.assert_code(2);
    assert!(refused.stderr.contains("a score never promotes alone"), "{}", refused.stderr);
}
