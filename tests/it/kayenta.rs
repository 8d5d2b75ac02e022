//! The judge of Kayenta through the programs: values of a program of the repository, one score when the lifetime is over.

use std::{fmt::Write as _, fs};

use tagship_testkit::Output;

use crate::workbench::Workbench;

const STABLE: &str = "v0.1.0";
const CANDIDATE: &str = "v0.2.0";

/// A canary whose errors are always fine, and whose latency and load a program answers.
struct Bench {
    bench: Workbench,
    ticks: u32,
}

impl Bench {
    fn new() -> Self {
        let bench = Workbench::with_server();
        bench.run_push().assert_code(0);
        let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
        let source =
            |name: &str| format!("source: {{ command: {{ command: [cat, \"{name}-{{{{arm}}}}.json\"] }} }}");
        let settings = format!(
            "        strategy: {{ canary: {{ steps: [ {{ set-weight: 50 }}, {{ pause: 3s }} ] }} }}\n\
             \x20       analysis:\n\
             \x20         interval: 1s\n\
             \x20         kayenta: {{ lifetime: 5s, group-weights: {{ latency: 80 }} }}\n\
             \x20         metrics:\n\
             \x20           - {{ name: errors, kind: error-ratio }}\n\
             \x20           - {{ name: p99, kind: value, judge: kayenta, direction: increase, critical: true, groups: [latency], {} }}\n\
             \x20           - {{ name: load, kind: value, judge: kayenta, groups: [system], {} }}\n",
            source("p99"),
            source("load"),
        );
        bench.clone.write("tagship.yml", format!("{config}{settings}"));
        bench.put("v2");
        bench.push("Bring v2");
        for verb in ["validate", "gate", "release"] {
            bench.run(&[verb]).assert_code(0);
        }
        Self { bench, ticks: 0 }
    }

    /// What the program answers about a version at this look.
    fn answer(&self, name: &str, version: &str, answer: &str) {
        self.bench.clone.write(&format!("{name}-{version}.json"), answer);
    }

    /// More requests without an error more than stable's, values around 100 for stable, and one tick.
    fn tick(&mut self, p99: impl Fn(f64) -> Option<f64>, load: impl Fn(f64) -> Option<f64>) -> Output {
        self.ticks += 1;
        let wave = 100.0 + f64::from(self.ticks * 7 % 10);
        let shown = |value: Option<f64>| value.map_or("null".to_owned(), |value| value.to_string());
        for (name, candidate) in [("p99", p99(wave)), ("load", load(wave))] {
            self.answer(name, STABLE, &wave.to_string());
            self.answer(name, CANDIDATE, &shown(candidate));
        }
        let mut text = String::new();
        for (family, count) in [("requests", self.ticks * 4000), ("errors", self.ticks * 40)] {
            let _ = writeln!(text, "# TYPE tagship_{family}_total counter");
            let outcome = if family == "requests" { ",outcome=\"answered\"" } else { "" };
            for version in [STABLE, CANDIDATE] {
                let labels = format!("model=\"churn\",version=\"{version}\",route=\"weighted\"{outcome}");
                let _ = writeln!(text, "tagship_{family}_total{{{labels}}} {count}");
            }
        }
        let page = self.bench.clone.write(".tagship/metrics.prom", text).display().to_string();
        self.bench.run(&["rollout", "--once", "--metrics", &page])
    }

    fn state(&self) -> serde_json::Value {
        let state = self.bench.clone.git(&["show", "refs/tagship/rollouts/production/churn:rollout.json"]);
        serde_json::from_str(&state).unwrap()
    }

    /// Ticks until the rollout is over, or waits for a person.
    fn ends(
        &mut self,
        p99: impl Fn(f64) -> Option<f64>,
        load: impl Fn(f64) -> Option<f64>,
    ) -> (String, Output) {
        for _ in 0..400 {
            let said = self.tick(&p99, &load);
            let phase = self.state()["phase"].as_str().unwrap().to_owned();
            if ["Succeeded", "RolledBack", "Paused"].contains(&phase.as_str()) {
                return (phase, said);
            }
        }
        panic!("it never ended: {}", self.state());
    }

    fn class(&self, metric: &str) -> serde_json::Value {
        self.state()["judges"][metric]["evidence"]["test"]["kayenta"]["judged"]["class"].clone()
    }
}

#[test]
fn a_good_version_is_promoted_when_the_lifetime_is_over() {
    let mut bench = Bench::new();
    // A change of what weighs little leaves 80 of 100.
    let (phase, said) = bench.ends(Some, |wave| Some(3.0 * wave));
    assert_eq!(phase, "Succeeded", "{}", said.stdout);
    let score = bench.state()["judges"]["kayenta score"].clone();
    assert_eq!((&score["phase"], &score["measurement"]["value"]), (&"Successful".into(), &80.0.into()));
    assert_eq!((bench.class("p99"), bench.class("load")), ("Pass".into(), "High".into()));
    assert_eq!(bench.bench.production().as_deref(), Some(CANDIDATE));
    assert!(said.stdout.contains("kayenta score"), "{}", said.stdout);
    let explained = bench.bench.run(&["rollout", "explain"]);
    assert!(explained.stdout.contains("kayenta score"), "{}", explained.stdout);
    let document = bench.bench.run(&["rollout", "explain", "--format", "json"]);
    assert!(document.stdout.contains("holds no error rate"), "{}\n{}", document.stdout, document.stderr);
}

#[test]
fn a_critical_change_leads_back_and_says_why() {
    let mut bench = Bench::new();
    let (phase, said) = bench.ends(|wave| Some(2.0 * wave), Some);
    assert_eq!(phase, "RolledBack", "{}", said.stdout);
    said.assert_code(1);
    let cause = bench.state()["cause"].as_str().unwrap().to_owned();
    assert!(cause.contains("score 0 of 100") && cause.contains("p99 is critical and changed"), "{cause}");
    assert!(cause.contains("holds no error rate"), "{cause}");
    assert_eq!(bench.bench.production().as_deref(), Some(STABLE));
}

#[test]
fn too_few_values_wait_for_a_person() {
    let mut bench = Bench::new();
    // Of the load, the new version is known at four looks at most.
    let told = std::cell::Cell::new(0);
    let few = |wave| {
        told.set(told.get() + 1);
        (told.get() <= 4).then_some(wave)
    };
    let (phase, said) = bench.ends(Some, few);
    assert_eq!(phase, "Paused", "{}", said.stdout);
    assert!(["Nodata", "Inconclusive"].iter().any(|class| bench.class("load") == *class));
    let message = bench.state()["judges"]["kayenta score"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("at least half of the metrics could not be judged"), "{message}");
    assert_eq!(bench.bench.production().as_deref(), Some(STABLE));
}

#[test]
fn the_plan_says_when_it_is_judged_and_that_there_is_no_error_rate() {
    let bench = Bench::new().bench;
    let plan = bench.run(&["plan", "--rate", "100/s", "--error-ratio", "1%"]);
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no increase (critical), group latency"), "{said}\n{}", plan.stderr);
    assert!(said.contains("judged once, 5s after the first look, without an error rate"), "{said}");
    assert!(said.contains("found good after about"), "{said}");
}
