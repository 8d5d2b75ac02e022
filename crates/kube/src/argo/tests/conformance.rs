//! The port's suite.

use std::path::PathBuf;

use tagship_ports::conformance;
use tagship_testkit::cluster::{FakeCluster, actors::Rollouts};

use super::stage::{MANIFEST, Stage, loadable};

#[tokio::test]
async fn it_does_what_every_target_must() {
    for controller in [Rollouts::default(), Rollouts::slow(3)] {
        let stage = Stage::new(controller);
        conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    }
}

#[tokio::test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
async fn it_does_so_with_the_definitions_of_the_project() {
    let folder = std::env::var_os("TAGSHIP_CRDS").map(PathBuf::from);
    let folder = folder.expect("TAGSHIP_CRDS names a folder with the definitions of the projects");
    let cluster = FakeCluster::start();
    cluster.define(&folder.join("argo-rollout.yaml"));
    let stage = Stage::on(cluster, Rollouts::slow(1), MANIFEST);
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
}
