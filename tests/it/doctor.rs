//! What journal, stage tags and target say of each other, and that a run by schedule ends what a dead job left.

use std::fs;

use serde_json::Value;
use tagship_testkit::{
    Output,
    cluster::actors::{Deployments, Gateway},
};

use crate::{on_cluster::Stage, workbench::Workbench};

/// Calls within which a deadline of five seconds has passed, however fast they are.
const CALLS: usize = 2_000;
const MANIFEST: &str = "apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers: [ { name: server, image: registry.example.org/server:1, args: [\"--digest={{digest}}\"] } ]
";

/// What `tagship doctor` found, by code.
fn codes(done: &Output) -> Vec<String> {
    let told: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(told["schema"], "tagship/doctor/v1");
    let found = told["places"][0]["discrepancies"].as_array().unwrap().clone();
    found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

const DOCTOR: [&str; 5] = ["doctor", "--environment", "production", "--format", "json"];

/// A tag that assigns what another tag names, a second after the newest one: time decides which assignment counts.
fn assign_by_hand(bench: &Workbench, tag: &str, version: &str) {
    let newest =
        ["for-each-ref", "--sort=-taggerdate", "--count=1", "--format=%(taggerdate:unix)", "refs/tags"];
    let time: u64 = bench.clone.git(&newest).parse().unwrap();
    let commit = bench.clone.git(&["rev-parse", &format!("{version}^{{commit}}")]);
    let object = format!(
        "object {commit}\ntype commit\ntag {tag}\ntagger A <a@example.org> {} +0000\n\nAssign\n",
        time + 1
    );
    let file = bench.clone.write(".tagship/tag", object).display().to_string();
    let id = bench.clone.git(&["hash-object", "-t", "tag", "-w", &file]);
    bench.clone.git(&["update-ref", &format!("refs/tags/{tag}"), &id]);
    bench.clone.git(&["push", "--quiet", "origin", &format!("refs/tags/{tag}")]);
}

fn weights(stage: &Stage) -> Vec<u64> {
    let route = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
    let mut weights: Vec<u64> = backends.iter().map(|backend| backend["weight"].as_u64().unwrap()).collect();
    weights.sort_unstable();
    weights
}

#[test]
fn past_the_deadline_a_run_by_schedule_rolls_back_what_a_dead_job_left_on_a_cluster() {
    let target = "gateway-api: { namespace: ml, route: churn, gateways: [ { name: public } ], manifest: deploy/churn.yaml }";
    let actors: Vec<Box<dyn tagship_testkit::cluster::actors::Actor>> =
        vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))];
    let mut stage = Stage::on(target, MANIFEST, actors);
    stage.lead(&["rollout", "--once"]).assert_code(0);
    let config = fs::read_to_string(stage.bench.clone.path().join("tagship.yml")).unwrap();
    let config = config.replace("{ pause: {} }", "{ pause: 1h }");
    stage.bench.clone.write("tagship.yml", format!("{config}        progress-deadline: 5s\n"));
    let healthy = stage.run(&DOCTOR);
    healthy.assert_code(0);
    assert_eq!(codes(&healthy), [""; 0]);

    stage.next("v2");
    stage.run(&["rollout", "--once"]).assert_code(6);
    for _ in 0..CALLS {
        if weights(&stage) == [25, 75] {
            break;
        }
        stage.cluster.step(&mut stage.actors);
        stage.run(&["rollout", "--once"]).assert_code(6);
    }
    assert_eq!(weights(&stage), [25, 75]);

    // The job is gone, and the gateway confirms nothing.
    let overdue = (0..CALLS).map(|_| stage.run(&DOCTOR)).find(|done| codes(done) == ["rollout-overdue"]);
    let overdue = overdue.expect("it is told as overdue");
    overdue.assert_code(1);
    assert!(
        overdue.stdout.contains("tagship rollout --once --model churn --environment production"),
        "{}",
        overdue.stdout
    );
    let mut done = stage.run(&["rollout", "--all", "--once"]);
    for _ in 0..CALLS {
        if done.code != 6 {
            break;
        }
        stage.cluster.step(&mut stage.actors);
        done = stage.run(&["rollout", "--all", "--once"]);
    }
    done.assert_code(1);
    assert!(done.stdout.contains("v0.1.0 serves again"), "{}", done.stdout);
    assert_eq!(weights(&stage), [100]);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));
    stage.run(&DOCTOR).assert_code(0);

    let nowhere = stage.bench.cli(&DOCTOR).env("KUBECONFIG", stage.kubeconfig.with_extension("gone")).run();
    nowhere.assert_code(3);
    assert_eq!(codes(&nowhere), ["target-unknown"]);
}

#[test]
fn a_run_by_schedule_finishes_what_a_dead_job_left_on_one_machine() {
    let mut bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    bench.put("v2");
    bench.push("Bring v2");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench.run(&["rollout", "--once"]);
    let ended = (0..CALLS).map(|_| bench.run(&["rollout", "--all", "--once"])).find(|done| done.code != 6);
    ended.expect("it ends").assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.2.0"));
    bench.run(&DOCTOR).assert_code(0);

    assign_by_hand(&bench, "churn#production#3", "churn@v0.1.0");
    let differs = bench.run(&DOCTOR);
    differs.assert_code(1);
    let found = codes(&differs);
    assert!(found.contains(&"foreign-share".to_owned()), "{found:?}");
    for repository in [&bench.clone, &bench.origin] {
        repository.git(&["tag", "--delete", "churn#production#3"]);
    }
    bench.run(&DOCTOR).assert_code(0);

    bench.stop_servers();
    let gone = bench.run(&DOCTOR);
    gone.assert_code(3);
    assert_eq!(codes(&gone), ["target-unknown"]);
}
