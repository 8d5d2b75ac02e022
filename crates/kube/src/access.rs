//! Whether we may do what a rollout will need, asked before anything is written.

use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::{Api, api::PostParams};
use serde_json::json;
use tagship_ports::{PortError, Problem};

use crate::{
    cluster::{Kind, Namespace},
    failure::{Refusal, refusal},
};

/// Verbs on kinds that target `gateway-api` needs.
const NEEDED: [(Kind, &[&str]); 3] = [
    (Kind::Route, &["get", "create", "patch"]),
    (Kind::Deployment, &["list", "create", "patch", "delete"]),
    (Kind::Service, &["create", "patch", "delete"]),
];

/// Refuses where a permission is missing, and names all that are.
pub(crate) async fn check(namespace: &Namespace) -> Result<(), PortError> {
    let operation = format!("ask what may be done in {}", namespace.name);
    let mut missing = Vec::new();
    for (kind, verbs) in NEEDED {
        let (group, _, plural, _) = kind.parts();
        for verb in verbs {
            if !may(namespace, &operation, verb, group, plural).await? {
                missing.push(format!("{verb} {plural}"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the account may not {} in namespace {}", missing.join(", "), namespace.name);
    Err(PortError::new(Problem::Denied, operation, message)
        .hint("add these verbs to a Role of the namespace and bind it to the account"))
}

async fn may(
    namespace: &Namespace,
    operation: &str,
    verb: &str,
    group: &str,
    plural: &str,
) -> Result<bool, PortError> {
    let attributes = json!({ "namespace": namespace.name, "verb": verb, "group": group, "resource": plural });
    let review = serde_json::from_value(json!({ "spec": { "resourceAttributes": attributes } }))
        .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))?;
    let client = namespace.connection.client().await?;
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answered = namespace.connection.in_time(operation, async {
        reviews.create(&PostParams::default(), &review).await.map_err(|error| refusal(operation, &error))
    });
    match answered.await {
        Ok(review) => Ok(review.status.is_some_and(|status| status.allowed)),
        Err(Refusal::Failed(error)) => Err(error),
        Err(Refusal::Stale) => {
            Err(PortError::new(Problem::Unreachable, operation, "the cluster answered a conflict"))
        }
    }
}
