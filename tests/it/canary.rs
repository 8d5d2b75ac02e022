//! Canary and blue-green through the programs: steps that wait for people, commands, queues, counters from a page.

use std::{fmt::Write as _, fs};

use crate::workbench::Workbench;

/// A canary that waits for a person with a tenth of the traffic.
const WAITS: &str = "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }";

/// A repository whose production serves v0.1.0, with these settings and a second version released.
fn bench(settings: &str) -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let settings: String =
        settings.lines().map(|line| format!("        {line}\n")).collect::<Vec<_>>().concat();
    bench.clone.write("tagship.yml", format!("{config}{settings}"));
    next(&bench, "v2");
    bench
}

/// Puts a variant into the repository and releases it.
fn next(bench: &Workbench, variant: &str) {
    bench.put(variant);
    bench.push(&format!("Bring {variant}"));
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
}

fn phase(bench: &Workbench) -> String {
    let state = bench.clone.git(&["show", "refs/tagship/rollouts/production/churn:rollout.json"]);
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    format!("{} {}", state["phase"].as_str().unwrap(), state["candidate"]["version"].as_str().unwrap())
}

#[test]
fn a_canary_waits_for_a_person_who_leads_it_on() {
    let bench = bench(WAITS);
    let paused = bench.run(&["rollout"]);
    paused.assert_code(4);
    assert!(paused.stdout.contains("tagship rollout --promote"), "{}", paused.stdout);
    assert_eq!((phase(&bench).as_str(), bench.production().as_deref()), ("Paused v0.2.0", Some("v0.1.0")));
    let story = bench.clone.git(&["log", "-1", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    assert!(story.contains("Paused, StepPause at 10%"), "{story}");

    bench.run(&["rollout", "--all"]).assert_code(4);
    bench.run(&["rollout", "--promote"]).assert_code(0);
    assert_eq!((phase(&bench).as_str(), bench.production().as_deref()), ("Succeeded v0.2.0", Some("v0.2.0")));
}

#[test]
fn a_running_canary_can_be_held_resumed_and_stopped() {
    let bench = bench("strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 1h } ] } }");
    bench.run(&["rollout", "--once"]).assert_code(6);
    bench.run(&["rollout", "--pause"]).assert_code(4);
    assert_eq!(phase(&bench), "Paused v0.2.0");
    bench.run(&["rollout", "--resume"]).assert_code(6);
    assert_eq!(phase(&bench), "Progressing v0.2.0");
    bench.run(&["rollback"]).assert_code(1);
    assert_eq!(
        (phase(&bench).as_str(), bench.production().as_deref()),
        ("RolledBack v0.2.0", Some("v0.1.0"))
    );
    bench.run(&["rollout"]).assert_code(1);
    assert_eq!(phase(&bench), "RolledBack v0.2.0", "what was rolled back waits for --retry");
    bench.run(&["rollout", "--retry", "--once"]).assert_code(6);
    bench.run(&["rollout", "--promote-full"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
}

#[test]
fn a_newer_version_waits_for_the_canary_and_goes_next() {
    let bench = bench(WAITS);
    bench.run(&["rollout"]).assert_code(4);
    next(&bench, "v3");
    bench.run(&["rollout"]).assert_code(4);
    assert_eq!(phase(&bench), "Paused v0.2.0", "it is still the older one's turn");
    bench.run(&["rollout", "--promote"]).assert_code(0);
    bench.run(&["rollout", "--all"]).assert_code(4);
    assert_eq!((phase(&bench).as_str(), bench.production().as_deref()), ("Paused v0.3.0", Some("v0.2.0")));
}

#[test]
fn a_newer_version_takes_over_where_that_is_wanted() {
    let bench = bench(&format!("{WAITS}\non-newer: supersede"));
    bench.run(&["rollout"]).assert_code(4);
    next(&bench, "v3");
    bench.run(&["rollout"]).assert_code(4);
    assert_eq!((phase(&bench).as_str(), bench.production().as_deref()), ("Paused v0.3.0", Some("v0.1.0")));
    let story = bench.clone.git(&["log", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    assert!(story.contains("v0.2.0: Superseded"), "{story}");
}

#[test]
fn counters_can_come_from_a_page_and_a_bad_candidate_goes_back() {
    let analysis = "strategy: { canary: { steps: [ { set-weight: 50 }, { pause: 1h } ] } }\n\
                    analysis: { interval: 1s, metrics: [ { name: errors, kind: error-ratio } ] }";
    let bench = bench(analysis);
    let page = bench.clone.path().join(".tagship/metrics.prom");
    let write = |requests: u64, errors: [u64; 2]| {
        let mut text = "# TYPE tagship_requests_total counter\n".to_owned();
        let labels = |version: &str| format!("model=\"churn\",version=\"{version}\",route=\"weighted\"");
        for version in ["v0.1.0", "v0.2.0"] {
            let labels = labels(version);
            let _ = writeln!(text, "tagship_requests_total{{{labels},outcome=\"answered\"}} {requests}");
        }
        text += "# TYPE tagship_errors_total counter\n";
        for (version, errors) in ["v0.1.0", "v0.2.0"].iter().zip(errors) {
            let _ = writeln!(text, "tagship_errors_total{{{}}} {errors}", labels(version));
        }
        let temporary = page.with_extension("new");
        fs::write(&temporary, text).unwrap();
        fs::rename(&temporary, &page).unwrap();
    };
    let tick = |requests: u64, errors: [u64; 2]| {
        write(requests, errors);
        let page = page.to_str().unwrap();
        bench.run(&["rollout", "--once", "--metrics", page])
    };
    tick(0, [0, 0]).assert_code(6);
    let mut end = None;
    for look in 1..=200 {
        // A tick within the interval of the one before takes no look; the next one sees its counts too.
        let done = tick(look * 4000, [look * 40, look * 600]);
        if phase(&bench) == "RolledBack v0.2.0" {
            end = Some(done);
            break;
        }
    }
    let end = end.expect("15 % errors beside 1 % are noticed");
    end.assert_code(1);
    assert!(end.stdout.contains("v0.1.0 serves again: errors 15%"), "{}", end.stdout);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn another_interface_is_not_compared_on_the_same_traffic() {
    let bench = bench(WAITS);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let (before, after) =
        (config.split("    gate:").next().unwrap(), config.split("    environments:").nth(1).unwrap());
    bench.clone.write("tagship.yml", format!("{before}    environments:{after}"));
    for file in ["model.onnx", "golden.json"] {
        bench.clone.write(
            &format!("models/churn/{file}"),
            tagship_testkit::fixtures::bytes(&format!("models/wine-logreg/{file}")),
        );
    }
    bench.push("Predict something else");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let refused = bench.run(&["rollout"]);
    refused.assert_code(2);
    assert!(refused.stderr.contains("the signature of v0.1.0 changed"), "{}", refused.stderr);
    assert!(refused.stderr.contains("blue-green"), "{}", refused.stderr);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}
