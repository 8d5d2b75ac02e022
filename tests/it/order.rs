//! When a version may go on and when monitoring may go back: environments in order, freezes, guards.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{hosted::Hosted, workbench::Workbench};

/// A repository whose production comes after staging, each with a server of its own.
fn ordered() -> Workbench {
    let mut bench = Workbench::with_server();
    let [inference, admin] = bench.serve("production");
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let (before, target) = config.split_once("      production:\n").unwrap();
    let [staged, admin_of_staged] = &bench.addresses;
    let production = target.replace(staged, &inference).replace(admin_of_staged, &admin);
    let config =
        format!("{before}      staging:\n{target}      production:\n{production}        after: staging\n");
    bench.clone.write("tagship.yml", config);
    bench.push("Put production after staging");
    bench
}

/// A repository whose production serves v0.1.0 with these settings beside its target.
fn bench(settings: &str) -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    bench.clone.write("tagship.yml", format!("{config}        {settings}\n"));
    bench.put("v2");
    bench.push("Bring v2");
    bench
}

/// From yesterday to the day after tomorrow, as a window of every week.
#[allow(clippy::disallowed_methods, reason = "the program that is tested reads the real clock")]
fn around_today() -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // The first day of 1970 was a Thursday.
    let day = |from_now: u64| DAYS[usize::try_from((since.as_secs() / 86_400 + from_now) % 7).unwrap()];
    format!("{} 00:00 - {} 00:00 UTC", day(6), day(2))
}

fn state(bench: &Workbench, environment: &str) -> Value {
    let state =
        bench.clone.git(&["show", &format!("refs/tagship/rollouts/{environment}/churn:rollout.json")]);
    serde_json::from_str(&state).unwrap()
}

#[test]
fn one_merge_goes_through_staging_to_production_and_tells_of_both() {
    let hosted = Hosted::of(ordered());
    let step = hosted.push();
    step.done.assert_code(0);
    for environment in ["staging", "production"] {
        assert_eq!(state(&hosted.bench, environment)["phase"], "Succeeded", "{environment}");
        let live = format!("live in {environment}");
        assert!(step.summary.contains(&live), "{live}: {}", step.summary);
    }
    let began = |environment| state(&hosted.bench, environment)["started"].as_str().unwrap().to_owned();
    assert!(began("staging") < began("production"));
}

#[test]
fn what_did_not_succeed_before_goes_no_further() {
    let bench = ordered();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb, "--environment", "staging"]).assert_code(0);
    }
    let refused = bench.run(&["rollout", "--environment", "production"]);
    refused.assert_code(1);
    for words in ["did not succeed in staging yet", "tagship rollout --environment staging"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert_eq!(bench.production(), None);
    bench.run(&["rollout", "--environment", "staging"]).assert_code(0);
    bench.run(&["rollout", "--environment", "production"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn a_freeze_holds_a_version_until_a_person_overrules_it() {
    let bench = bench(&format!("freeze: [ \"{}\" ]", around_today()));
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench.run(&["rollout", "--once"]).assert_code(6);
    let waiting = state(&bench, "production");
    assert_eq!((&waiting["phase"], &waiting["reason"]), (&json!("Waiting"), &json!("Schedule")));
    assert!(waiting["message"].as_str().unwrap().contains("until someone promotes it"), "{waiting}");
    assert!(bench.run(&["status"]).stdout.contains("freeze"), "people see why nothing moves");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));

    bench.run(&["rollout", "--promote"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    assert!(state(&bench, "production")["unfrozen"]["by"]["actor"].is_string(), "it is on record");
}

#[test]
fn monitoring_goes_back_under_guard_and_never_past_a_person() {
    let bench = bench("guard: 1h");
    let drift = ["rollback", "--guard", "--reason", "accuracy fell to 71%"];
    let refused = bench.run(&drift);
    refused.assert_code(1);
    assert!(refused.stderr.contains("tagship rollback"), "{}", refused.stderr);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"), "a first version has nothing to go back to");

    bench.run_push().assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    bench.run(&["lock", "--environment", "production", "--reason", "I am looking"]).assert_code(0);
    bench.run(&drift).assert_code(1);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"), "a person has decided since");
    bench.run(&["unlock", "--environment", "production"]).assert_code(0);
    bench.run(&drift).assert_code(1);

    bench.run(&["rollback"]).assert_code(0);
    bench.run(&["rollout", "--retry"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    bench.run(&drift).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let back = state(&bench, "production");
    assert_eq!((&back["reason"], &back["phase"]), (&json!("GuardFired"), &json!("Succeeded")));
    assert!(back.to_string().contains("accuracy fell to 71%"), "{back}");
}

#[test]
fn a_lock_that_a_failed_rollback_left_is_taken_away_by_name_and_after_a_look() {
    let canary = "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }";
    let mut bench = bench(&format!("{canary}\n        progress-deadline: 5s"));
    assert_eq!(bench.run_push().code, 4);
    bench.stop_servers();
    assert_eq!(bench.run(&["rollback"]).code, 5);
    assert_eq!(state(&bench, "production")["phase"], "RollbackFailed");

    let unlock = ["unlock", "--environment", "production", "--reason", "moved the traffic by hand"];
    let silent = bench.run(&unlock[..3]);
    silent.assert_code(2);
    assert!(silent.stderr.contains("--reason TEXT"), "{}", silent.stderr);
    let unseen = bench.run(&unlock);
    unseen.assert_code(3);
    assert!(unseen.stderr.contains("does not say what serves"), "{}", unseen.stderr);
    assert!(state(&bench, "production")["unlocked"].is_null());

    let before = bench.addresses.clone();
    bench.addresses = bench.serve("serve");
    let config = std::fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let moved =
        before.iter().zip(&bench.addresses).fold(config, |config, (old, new)| config.replace(old, new));
    bench.clone.write("tagship.yml", moved);
    let unlocked = bench.run(&unlock);
    assert!(unlocked.assert_code(0).stdout.contains("moved the traffic by hand"), "{}", unlocked.stdout);
    assert_eq!(state(&bench, "production")["unlocked"]["reason"], "moved the traffic by hand");
    bench.run(&["rollout", "--retry"]).assert_code(4);
    assert_eq!(state(&bench, "production")["phase"], "Paused", "another one may begin");
}
