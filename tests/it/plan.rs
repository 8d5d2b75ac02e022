//! `tagship plan`: what a rollout would do and whether it can end in a verdict, said before anything moves.

use serde_json::Value;
use tagship_testkit::Output;

use crate::workbench::{CONFIG, Workbench};

const CANARY: &str = r"
        strategy: { canary: { steps: [{ set-weight: 10 }, { pause: 20m }, { set-weight: 50 }, { pause: 20m }] } }
        hold-back: 5%
        bake: 10m
        analysis:
          max-wait: 30m
          metrics:
            - { name: errors, kind: error-ratio, bound: { max: 2% } }
            - { name: accuracy, kind: labelled-accuracy, label-delay: 5m }
            - { name: drift, kind: prediction-drift }
";

/// Gives production these keys, which is the only place of the configuration.
fn configure(bench: &Workbench, keys: &str) {
    let [inference, admin] = &bench.addresses;
    let config = CONFIG.replace("INFERENCE", inference).replace("ADMIN", admin);
    bench.clone.write("tagship.yml", format!("{}{keys}", config.trim_end()));
}

/// v1 serves in production, and the next version would be a canary.
fn serving() -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    configure(&bench, CANARY);
    bench
}

fn plan(bench: &Workbench, flags: &[&str]) -> Output {
    let done = bench.run(&[&["plan", "--watch", "50ms"], flags].concat());
    done.assert_code(0);
    done
}

fn document(bench: &Workbench, flags: &[&str]) -> Value {
    let done = plan(bench, &[flags, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(document["schema"], "tagship/plan/v1");
    document
}

#[track_caller]
fn says(done: &Output, words: &[&str]) {
    let said = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in\n{}", done.stdout);
    }
}

#[test]
fn a_plan_that_can_be_decided_says_when_and_changes_nothing() {
    let bench = serving();
    let before = bench.published();
    let flags = ["--rate", "100/s", "--error-ratio", "1%", "--accuracy", "0.92", "--label-share", "50%"];
    let found = document(&bench, &flags);
    let weights: Vec<_> = found["way"].as_array().unwrap().iter().map(|stretch| &stretch["weight"]).collect();
    assert_eq!(weights, [10, 50, 95]);
    assert_eq!(found["shortest"], "50m");
    let errors = &found["metrics"][0];
    assert_eq!(errors["stable"], serde_json::json!({ "value": 0.01, "from": "given" }));
    assert_eq!(errors["regression"], 0.02);
    // 4,420 requests at 10 %, as published for a margin of 1.5 at 1 %; 600 of them in each look of a minute.
    let first = &errors["needs"][0];
    assert_eq!(first["weight"], 10);
    let observations = first["promote"]["observations"].as_f64().unwrap();
    assert!((observations - 4_420.0).abs() < 30.0, "{observations}");
    assert_eq!(first["promote"]["lasts"], "8m");
    assert!(first["see"]["observations"].as_u64().unwrap() < 4_420, "{first}");
    assert_eq!(errors["outlook"]["outlook"], "in-time");
    assert_eq!(errors["outlook"]["after"], "8m");
    // Labels come for half of the requests, and five minutes late.
    let accuracy = &found["metrics"][1];
    assert_eq!(accuracy["needs"][0]["promote"]["lasts"], "11m");
    assert_eq!(found["metrics"][2]["outlook"]["outlook"], "advisory");

    let told = plan(&bench, &flags);
    says(
        &told,
        &[
            "churn@v1.0.0 is in production already; the version after it would go there as a canary",
            "a version as good as stable gets through",
            "step 1 10% 20m beside stable",
            "waits up to 30m for every verdict",
            "keeps 5% until the bake has ended",
            "100 requests/s (given)",
            "4,420",
            "found good after about 8m",
            "nothing was changed",
        ],
    );
    assert_eq!(bench.published(), before);
}

#[test]
fn a_plan_that_cannot_be_decided_warns_and_says_what_to_change() {
    let bench = serving();
    // The case that no test can decide in time: few requests, few errors.
    let flags = ["--rate", "10/s", "--error-ratio", "0.1%", "--accuracy", "92%", "--label-share", "100%"];
    let found = document(&bench, &flags);
    let errors = &found["metrics"][0]["outlook"];
    assert_eq!(errors["outlook"], "too-late");
    assert!(errors["reached"].as_u64().unwrap() < 100);
    let advice = errors["advice"][0].as_str().unwrap();
    assert!(advice.starts_with("`max-wait: "), "{advice}");
    let told = plan(&bench, &flags);
    says(
        &told,
        &["errors cannot be decided", "WARNING: even a version as good as stable", "a person has to decide"],
    );

    // What it advises is enough.
    let max_wait = advice.trim_matches('`');
    configure(&bench, &CANARY.replace("max-wait: 30m", max_wait));
    assert_eq!(document(&bench, &flags)["metrics"][0]["outlook"]["outlook"], "in-time");
}

#[test]
fn a_stable_version_without_errors_gives_a_ratio_nothing_to_compare() {
    let bench = serving();
    let flags = ["--rate", "100/s", "--error-ratio", "0", "--accuracy", "0.92", "--label-share", "1"];
    let found = document(&bench, &flags);
    assert_eq!(found["metrics"][0]["outlook"]["outlook"], "never");
    says(&plan(&bench, &flags), &["it can never be found good", "absolute"]);
}

#[test]
fn what_nobody_told_stays_unknown() {
    let bench = serving();
    let found = document(&bench, &[]);
    assert!(found.get("rate").is_none(), "{found}");
    for metric in [0, 1] {
        let outlook = &found["metrics"][metric]["outlook"];
        assert_eq!(outlook["outlook"], "unknown", "{found}");
        assert!(outlook["why"].as_str().unwrap().contains("pass --"), "{outlook}");
    }
    let told = plan(&bench, &[]);
    says(
        &told,
        &["can be decided is unknown", "no request came to the target within 50ms", "pass --error-ratio"],
    );
    assert!(!told.stdout.contains("gets through"));

    // The errors are known, the rate is not: how many requests is known then, how long is not.
    let found = document(&bench, &["--error-ratio", "1%"]);
    let need = &found["metrics"][0]["needs"][0]["promote"];
    assert!(need["observations"].as_u64().unwrap() > 4_000);
    assert!(need["lasts"].is_null());
    assert_eq!(found["metrics"][0]["outlook"]["outlook"], "unknown");
}

#[test]
fn a_target_that_cannot_be_asked_is_said() {
    let bench = serving();
    let config = bench.clone.path().join("tagship.yml");
    let text = std::fs::read_to_string(&config).unwrap().replace(&bench.addresses[1], "127.0.0.1:9");
    std::fs::write(&config, text).unwrap();
    says(&plan(&bench, &["--rate", "100/s"]), &["the target could not be asked", "pass --error-ratio"]);
}

#[test]
fn a_first_version_goes_all_at_once_and_against_bounds() {
    let bench = Workbench::new();
    bench.run(&["plan"]).assert_code(2);
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let nowhere = CONFIG.replace("INFERENCE", "127.0.0.1:9").replace("ADMIN", "127.0.0.1:9");
    bench.clone.write("tagship.yml", format!("{}{CANARY}", nowhere.trim_end()));
    let flags = ["--rate", "100/s", "--error-ratio", "1%"];
    let found = document(&bench, &flags);
    assert!(found.get("stable").is_none());
    assert_eq!(found["metrics"].as_array().unwrap().len(), 1);
    assert_eq!(found["metrics"][0]["needs"][0]["against"], "bound");
    assert_eq!(found["metrics"][0]["outlook"]["outlook"], "in-time");
    says(&plan(&bench, &flags), &["churn@v1.0.0 would go to production all at once", "nothing serves yet"]);
    let worse = ["--rate", "100/s", "--error-ratio", "3%"];
    says(&plan(&bench, &worse), &["stable itself does not keep the bound"]);
}

#[test]
fn bad_input_ends_with_two_and_an_example() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    for (flags, word) in [
        (&["--rate", "100"][..], "100/s"),
        (&["--rate", "-1/s"], "100/s"),
        (&["--error-ratio", "2"], "1%"),
        (&["--accuracy", "good"], "1%"),
        (&["--label-share", "0"], "5%"),
        (&["--regression", "1x"], "2x"),
        (&["--accuracy-loss", "0"], "5%"),
        (&["--watch", "5"], "duration"),
        (&["--version", "v9.9.9"], "v9.9.9"),
        (&["--environment", "moon"], "there is production"),
        (&["--model", "other"], "there is churn"),
    ] {
        let done = bench.run(&[&["plan"], flags].concat());
        done.assert_code(2);
        assert!(done.stderr.contains(word), "{word:?} is missing in\n{}", done.stderr);
    }
}
