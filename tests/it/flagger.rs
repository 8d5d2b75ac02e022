//! Rollouts that Flagger leads on a played Kubernetes API, followed by the program through a kubeconfig.

use serde_json::{Value, json};
use tagship_artifact::digest_path;
use tagship_testkit::cluster::actors::Flagger;

use crate::{on_cluster::Stage, workbench::CONFIG};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ml/deployments";
const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/ml/canaries";
/// What the pods of a version that fails are told.
const BROKEN: &str = "--broken";

/// Version v0.1.0 is released, and the team has written its Deployment and its Canary.
fn stage() -> Stage {
    let stage = Stage::on(
        "flagger: { namespace: ml, name: churn }",
        "unused: by this target\n",
        vec![Box::new(Flagger::failing(BROKEN))],
    );
    configure(&stage, "");
    let make = |path: &str, version: &str, kind: &str, spec: Value| {
        let object =
            json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "churn" }, "spec": spec });
        assert_eq!(stage.cluster.act("POST", path, "application/json", &object).0, 201);
    };
    let selector = json!({ "matchLabels": { "app": "churn" } });
    let template = template(&stage, "v0.1.0", &[]);
    make(DEPLOYMENTS, "apps/v1", "Deployment", json!({ "selector": selector, "template": template }));
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "churn" });
    let analysis = json!({ "interval": "30s", "threshold": 2, "stepWeight": 25, "maxWeight": 50 });
    make(CANARIES, "flagger.app/v1beta1", "Canary", json!({ "targetRef": target, "analysis": analysis }));
    stage
}

/// Golden cases stay configured: they judge before the release, and Flagger afterwards.
fn configure(stage: &Stage, more: &str) {
    let local = CONFIG.lines().find(|line| line.contains("target:")).unwrap();
    let target = format!("        target: {{ flagger: {{ namespace: ml, name: churn }} }}\n{more}");
    stage.bench.clone.write("tagship.yml", CONFIG.replace(&format!("{local}\n"), &target));
    stage.bench.push("Follow Flagger");
}

/// A pod template that says its version, as the team's chart writes it.
fn template(stage: &Stage, version: &str, arguments: &[&str]) -> Value {
    let (digest, _) = digest_path(&stage.bench.clone.path().join("models/churn/model.onnx")).unwrap();
    let annotations = json!({ "tagship/version": version, "tagship/digest": digest.to_string() });
    let container = json!({ "name": "server", "image": "registry.example.org/server", "args": arguments });
    json!({
        "metadata": { "labels": { "app": "churn" }, "annotations": annotations },
        "spec": { "containers": [container] },
    })
}

fn ship(stage: &Stage, version: &str, arguments: &[&str]) {
    let change = json!({ "spec": { "template": template(stage, version, arguments) } });
    let path = format!("{DEPLOYMENTS}/churn?fieldManager=argocd-controller");
    assert_eq!(stage.cluster.act("PATCH", &path, "application/merge-patch+json", &change).0, 200);
}

#[test]
fn what_flagger_promotes_and_fails_is_recorded_under_the_right_to_read() {
    let mut stage = stage();
    let printed = stage.run(&["init", "--target", "flagger", "--rbac"]);
    printed.assert_code(0);
    let role = printed.stdout.split("---\n").nth(1).unwrap();
    stage.cluster.grant(&tagship_config::yaml::to_json(role).unwrap());
    let advance = |cluster: &tagship_testkit::cluster::FakeCluster| cluster.advance(30);

    stage.lead_through(&["rollout", "--once"], advance).assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.1.0"));

    stage.next("v2");
    ship(&stage, "v0.2.0", &[]);
    let shown = std::cell::RefCell::new(String::new());
    let kubeconfig = stage.kubeconfig.clone();
    let clone = stage.bench.clone.path().to_owned();
    let end = stage.lead_through(&["rollout", "--once"], |cluster| {
        cluster.advance(30);
        let status = crate::workbench::tagship(&clone, &["status"]).env("KUBECONFIG", &kubeconfig).run();
        shown.borrow_mut().push_str(&status.stdout);
    });
    end.assert_code(0);
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));
    let shown = shown.into_inner();
    assert!(shown.contains("25%") && shown.contains("50%"), "{shown}");

    stage.next("v3");
    ship(&stage, "v0.3.0", &[BROKEN]);
    let end = stage.lead_through(&["rollout", "--once"], advance);
    end.assert_code(1);
    let said = end.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("v0.2.0 serves again"), "{said}");
    assert!(said.contains("Canary ml/churn is Failed with 2 failed checks"), "{said}");
    assert_eq!(stage.bench.production().as_deref(), Some("v0.2.0"));

    let requests = stage.cluster.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
}

#[test]
fn what_only_flagger_could_do_is_refused_with_who_does_it() {
    let mut stage = stage();
    stage.lead_through(&["rollout", "--once"], |cluster| cluster.advance(30)).assert_code(0);
    stage.next("v2");
    ship(&stage, "v0.2.0", &[]);
    stage.run(&["rollout", "--once"]).assert_code(6);
    stage.cluster.forget_requests();
    for (words, expected) in [
        (&["rollout", "--once", "--abort"][..], "revert the commit that GitOps applies"),
        (&["rollout", "--once", "--pause"], "`spec.suspend: true`"),
        (&["rollout", "--once", "--resume"], "`spec.suspend: false`"),
        (&["rollout", "--once", "--promote"], "`confirm-promotion` webhook"),
        (&["rollback", "--once"], "revert the commit that GitOps applies"),
        (&["rollback", "--once", "--dry-run"], "revert the commit that GitOps applies"),
    ] {
        let done = stage.run(words);
        done.assert_code(2);
        let said =
            format!("{} {}", done.stdout, done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("is only followed") && said.contains(expected), "{words:?}: {said}");
    }
    assert_eq!(stage.cluster.requests(), Vec::<String>::new());
}

#[test]
fn settings_that_would_change_nothing_are_refused_all_at_once() {
    let stage = stage();
    configure(
        &stage,
        "        strategy: { blue-green: {} }\n        bake: 10m\n        freeze: [ \"Fri 16:00 - Mon 08:00 Europe/Berlin\" ]\n",
    );
    for words in [&["rollout", "--once"][..], &["rollout", "--dry-run"], &["plan"]] {
        let done = stage.run(words);
        done.assert_code(2);
        let said =
            format!("{} {}", done.stdout, done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("`strategy`, `bake`, `freeze` would change nothing there"), "{said}");
        assert!(said.contains("`spec.analysis` of the Canary"), "{said}");
    }
    assert_eq!(stage.bench.production(), None);
}
