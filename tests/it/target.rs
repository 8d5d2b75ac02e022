//! Target `local` and the model server, held to the port that they implement together.

use tagship_adapters::{SystemClock, targets::LocalTarget};
use tagship_domain::ModelName;
use tagship_ports::conformance::{self, Loadable};
use tagship_testkit::fixtures;

use crate::workbench::{TOKEN, Workbench};

fn loadable(version: &str, variant: &str) -> Loadable {
    let bytes = fixtures::path(&format!("models/churn/{variant}/model.onnx"));
    let (digest, _) = tagship_artifact::digest_path(&bytes).unwrap();
    Loadable { version: version.parse().unwrap(), digest, bytes }
}

#[tokio::test]
async fn the_server_and_its_client_behave_like_every_target() {
    let bench = Workbench::with_server();
    let [inference, admin] = &bench.addresses;
    let target = LocalTarget::new(&format!("http://{inference}"), &format!("http://{admin}"), TOKEN).unwrap();
    let model = ModelName::new("conformance").unwrap();
    let (one, two) = (loadable("v1.0.0", "v1"), loadable("v1.1.0", "v2"));
    conformance::target(&target, &SystemClock, &model, &one, &two).await;
}
