//! The port's suite.

use tagship_ports::conformance;
use tagship_testkit::cluster::actors::InferenceServices;

use super::stage::{Stage, loadable};

#[tokio::test]
async fn it_does_what_every_target_must() {
    for controller in [InferenceServices::default(), InferenceServices::slow(3)] {
        let stage = Stage::new(controller);
        conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    }
}
