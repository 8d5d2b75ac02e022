//! Where traffic goes, and when it is said to be there.

use std::path::PathBuf;

use serde_json::{Value, json};
use tagship_domain::routing::{HeaderMatch, HeaderName, HeaderText, Routing};
use tagship_ports::{
    Problem, Target,
    conformance::{self, Loadable},
    target::Done,
};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Deployments, Gateway},
};

use super::{
    findings::changed,
    stage::{MANIFEST, Stage, digest, named, version},
};
use crate::played::Orders as _;

fn loadable(number: u8) -> Loadable {
    Loadable { version: version(u64::from(number)), digest: digest(number), bytes: Stage::bytes() }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_target() {
    let mut late = Gateway::named("public");
    late.delay = 1;
    for stage in [Stage::new(), Stage::with(Deployments::slow(2), late)] {
        conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
        assert!(stage.cluster.object("deployments.apps", "ml", &named(1)).is_none());
        assert!(stage.cluster.object("services", "ml", &named(2)).is_none());
        assert!(stage.cluster.requests().iter().all(|request| !request.contains("force")));
    }
}

#[tokio::test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
async fn it_keeps_them_with_the_definition_of_the_project() {
    let folder = std::env::var_os("TAGSHIP_CRDS").map(PathBuf::from);
    let folder = folder.expect("TAGSHIP_CRDS names a folder with the definitions of the projects");
    let cluster = FakeCluster::start();
    cluster.define(&folder.join("gateway-api-httproutes.yaml"));
    let stage = Stage::on(cluster, MANIFEST, Deployments::slow(1), Gateway::named("public"));
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
}

#[tokio::test]
async fn versions_are_named_and_marked_by_their_digests() {
    let stage = Stage::new().two_versions().await;
    let backend = stage.target.backend(&stage.model, &version(2)).await.unwrap().unwrap();
    assert_eq!((backend.namespace.as_str(), backend.name.as_str()), ("ml", named(2).as_str()));
    let unknown = stage.target.backend(&stage.model, &version(9)).await.unwrap_err();
    assert_eq!(unknown.problem, Problem::NotFound);
    let deployment = stage.cluster.object("deployments.apps", "ml", &named(2)).unwrap();
    let marks = &deployment["metadata"]["annotations"];
    assert_eq!(
        (&marks["tagship/version"], &marks["tagship/digest"]),
        (&json!("v2.0.0"), &json!(digest(2).to_string()))
    );
    let pod = &deployment["spec"]["template"];
    assert_eq!(pod["spec"]["containers"][0]["args"][1], format!("--digest={}", digest(2)));
    let service = stage.cluster.object("services", "ml", &named(2)).unwrap();
    let selected = &service["spec"]["selector"]["app.kubernetes.io/instance"];
    assert_eq!(*selected, pod["metadata"]["labels"]["app.kubernetes.io/instance"]);
    assert_eq!(stage.route()["spec"]["hostnames"], json!(["churn.example.org"]));
    assert_eq!(stage.route()["spec"]["parentRefs"][0]["namespace"], "infra");
}

#[tokio::test]
async fn nothing_is_written_when_nothing_is_to_change() {
    let stage = Stage::new().two_versions().await;
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    stage.step();
    assert_eq!(stage.prepare(5, 2).await, Ok(Done::Applied), "its objects take the fence over");
    stage.step();
    let before = stage.cluster.version();
    stage.cluster.forget_requests();
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.prepare(5, 2).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.cluster.version(), before);
    assert!(stage.cluster.requests().iter().all(|request| request.starts_with("GET ")));
}

#[tokio::test]
async fn no_order_takes_more_than_twelve_requests() {
    let stage = Stage::new();
    let most = |what: &str, most: usize| {
        let requests = stage.cluster.requests();
        assert!(requests.len() <= most, "{what}: {requests:#?}");
        stage.cluster.forget_requests();
    };
    stage.prepare(1, 1).await.unwrap();
    most("prepare", 11);
    stage.step();
    stage.target.promote(&stage.order(2), &version(1)).await.unwrap();
    most("promote", 3);
    stage.step();
    stage.shares().await;
    most("observe", 2);
    stage.target.rollback(&stage.order(3), None).await.unwrap();
    most("rollback", 3);
    stage.step();
    stage.target.cleanup(&stage.order(4), &version(1)).await.unwrap();
    most("cleanup", 7);
}

#[tokio::test]
async fn a_share_is_in_force_when_the_gateway_says_so() {
    let stage = Stage::new().two_versions().await;
    let mut late = Gateway::named("public");
    late.delay = 1;
    stage.play(vec![Box::new(late)]);
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    stage.step();
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending), "not noticed yet");
    stage.step();
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
}

#[tokio::test]
async fn what_a_gateway_says_of_an_older_generation_counts_for_nothing() {
    let stage = Stage::new().two_versions().await;
    let mut liar = Gateway::named("public");
    liar.lies = true;
    stage.play(vec![Box::new(liar)]);
    stage.weight(5, 2, 25).await.unwrap();
    for _ in 0..5 {
        stage.step();
        assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    }
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    let cleanup = stage.target.cleanup(&stage.order(6), &version(2)).await;
    assert_eq!(cleanup.unwrap_err().problem, Problem::Conflict);
    stage.target.rollback(&stage.order(7), Some(&version(1))).await.unwrap();
    assert_eq!(stage.written(), [(named(1), 100)], "the way back does not wait");
}

#[tokio::test]
async fn a_gateway_that_refuses_is_quoted() {
    let stage = Stage::new().two_versions().await;
    let mut refuses = Gateway::named("public");
    refuses.accepts = false;
    stage.play(vec![Box::new(refuses)]);
    stage.weight(5, 2, 25).await.unwrap();
    stage.step();
    let error = stage.weight(5, 2, 25).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert_eq!(error.message, "gateway public says Accepted is False: NotAllowedByListeners");
}

#[tokio::test]
async fn a_version_that_does_not_get_ready_says_why() {
    let stage = Stage::with(Deployments::failing(&named(1)), Gateway::named("public"));
    assert_eq!(stage.prepare(1, 1).await, Ok(Done::Pending));
    stage.step();
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("ProgressDeadlineExceeded"), "{error}");
    assert_eq!(stage.shares().await, [(1, 0, false)]);
}

#[tokio::test]
async fn pods_that_are_lost_are_missed() {
    let stage = Stage::new().two_versions().await;
    stage.weight(5, 2, 25).await.unwrap();
    stage.step();
    stage.play(vec![Box::new(Deployments::without_pods(&named(2), 1))]);
    stage.step();
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, false)]);
}

#[tokio::test]
async fn alone_a_version_has_all_or_nothing() {
    let stage = Stage::new();
    stage.prepare(1, 1).await.unwrap();
    let error = stage.weight(2, 1, 50).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unsupported);
    assert_eq!(stage.written(), [(named(1), 0)]);
}

#[tokio::test]
async fn requests_with_a_header_go_first() {
    let stage = Stage::new().two_versions().await;
    let rule =
        HeaderMatch { header: HeaderName::new("X-Cohort").unwrap(), exact: HeaderText::new("beta").unwrap() };
    let routing = Routing { matched: Some(rule.to(&version(2))), ..Routing::default() };
    stage.target.route(&stage.order(5), &routing).await.unwrap();
    let rules = stage.route()["spec"]["rules"].clone();
    assert_eq!(rules[0]["backendRefs"][0]["name"], named(2));
    let header = &rules[0]["matches"][0]["headers"][0];
    assert_eq!((&header["name"], &header["value"]), (&json!("x-cohort"), &json!("beta")));
    assert_eq!(rules[1]["matches"][0].get("headers"), None::<&Value>);
    stage.step();
    stage.target.promote(&stage.order(6), &version(2)).await.unwrap();
    assert_eq!(
        stage.route()["spec"]["rules"].as_array().unwrap().len(),
        1,
        "all traffic is taken back by one order"
    );
}

#[tokio::test]
async fn a_gateway_may_write_the_routes_own_namespace_out() {
    for writes_namespaces in [false, true] {
        for namespace in [None, Some("ml")] {
            let mut gateway = Gateway::named("public");
            gateway.writes_namespaces = writes_namespaces;
            let mut stage = Stage::with(Deployments::default(), gateway);
            let parent = json!([{ "name": "public", "namespace": namespace }]);
            let _directory = changed(&mut stage, &json!({ "gateways": parent }), MANIFEST);
            let stage = stage.two_versions().await;
            stage.weight(5, 2, 25).await.unwrap();
            stage.step();
            assert_eq!(
                stage.shares().await,
                [(1, 75, true), (2, 25, true)],
                "{writes_namespaces} {namespace:?}"
            );
        }
    }
}
