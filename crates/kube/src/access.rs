//! What the account needs: as the rules of a Role, and asked of the cluster before anything is written.

use std::fmt::Write as _;

use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::{Api, Error, api::PostParams};
use serde_json::{Value, json};
use tagship_ports::{PortError, Problem};

use crate::{
    cluster::{Kind, MANAGER, Namespace},
    failure::refusal,
};

/// What one rule grants.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    group: &'static str,
    /// The kind, with the part of it that is meant: `services/proxy`.
    resource: &'static str,
    verbs: &'static [&'static str],
    /// The one object that is meant; any where there is none.
    name: Option<String>,
}

impl Need {
    /// Verbs on any object of a kind: a rule that grants making knows no names.
    pub(crate) fn any(kind: Kind, verbs: &'static [&'static str]) -> Self {
        let (group, _, resource, _) = kind.parts();
        Self { group, resource, verbs, name: None }
    }

    /// Verbs on one object.
    pub(crate) fn one(kind: Kind, verbs: &'static [&'static str], name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::any(kind, verbs) }
    }

    /// Asking versions by their Services, whose names are not known before.
    pub(crate) fn asking() -> Self {
        Self { group: "", resource: "services/proxy", verbs: &["create"], name: None }
    }

    /// Asking versions whether they are ready, by their Services.
    pub(crate) fn asking_whether_ready() -> Self {
        Self { verbs: &["get"], ..Self::asking() }
    }
}

/// What an account needs for a target.
#[derive(Debug, Clone)]
pub(crate) struct Access<'a> {
    /// Kind of the target.
    pub(crate) target: &'static str,
    pub(crate) namespace: &'a str,
    /// Name of the Role.
    pub(crate) role: String,
    pub(crate) needs: Vec<Need>,
}

impl Access<'_> {
    /// A Role that grants what is needed and nothing else.
    pub(crate) fn role(&self) -> Value {
        let rule = |need: &Need| {
            let mut rule =
                json!({ "apiGroups": [need.group], "resources": [need.resource], "verbs": need.verbs });
            if let Some(name) = &need.name {
                rule["resourceNames"] = json!([name]);
            }
            rule
        };
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": { "name": self.role, "namespace": self.namespace },
            "rules": self.needs.iter().map(rule).collect::<Vec<_>>(),
        })
    }

    /// The Role and its binding to the account `tagship` of the namespace, as YAML that `kubectl apply` takes.
    pub(crate) fn manifests(&self) -> String {
        let role = self.role();
        let name = &role["metadata"]["name"];
        let binding = json!({
            "apiVersion": role["apiVersion"], "kind": "RoleBinding", "metadata": role["metadata"],
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            // Whoever logs in otherwise is named here.
            "subjects": [{ "kind": "ServiceAccount", "name": MANAGER, "namespace": self.namespace }],
        });
        [role, binding].iter().map(document).collect()
    }

    /// Refuses where a permission is missing, and names all that are. What the cluster does not tell is not missing: that is an
    /// error that may pass.
    pub(crate) async fn check(&self, namespace: &Namespace) -> Result<(), PortError> {
        let operation = format!("ask what may be done in {}", namespace.name);
        let (mut missing, mut unknown) = (Vec::new(), None);
        for need in &self.needs {
            for verb in need.verbs {
                match may(namespace, &operation, verb, need).await? {
                    Answer::Allowed => {}
                    Answer::Missing => missing.push(format!("{verb} {}", need.resource)),
                    Answer::Unknown(why) => unknown = Some(format!("{verb} {}: {why}", need.resource)),
                }
            }
        }
        if missing.is_empty() {
            return unknown.map_or(Ok(()), |what| Err(unanswered(&operation, &what)));
        }
        let message = format!("the account may not {} in namespace {}", missing.join(", "), namespace.name);
        let hint = format!(
            "bind the account to the Role that `tagship init --target {} --rbac` prints",
            self.target
        );
        Err(PortError::new(Problem::Denied, operation, message).hint(hint))
    }
}

/// A document with a line for each field, and for each item of a list; what is deeper is written as JSON, which YAML is.
fn document(object: &Value) -> String {
    let mut text = "---\n".to_owned();
    for (field, value) in object.as_object().into_iter().flatten() {
        match value.as_array() {
            Some(items) => {
                let _ = writeln!(text, "{field}:");
                for item in items {
                    let _ = writeln!(text, "- {item}");
                }
            }
            None => {
                let _ = writeln!(text, "{field}: {value}");
            }
        }
    }
    text
}

/// What the cluster says about one verb.
enum Answer {
    Allowed,
    Missing,
    /// It could not find out, for this reason.
    Unknown(String),
}

async fn may(namespace: &Namespace, operation: &str, verb: &str, need: &Need) -> Result<Answer, PortError> {
    let (resource, part) = need.resource.split_once('/').unwrap_or((need.resource, ""));
    let attributes = json!({
        "namespace": namespace.name, "verb": verb, "group": need.group, "resource": resource, "subresource": part,
        "name": need.name.as_deref().unwrap_or_default(),
    });
    let review = serde_json::from_value(json!({ "spec": { "resourceAttributes": attributes } }))
        .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))?;
    let client = namespace.connection.client().await?;
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answered = namespace.connection.in_time(operation, async {
        let reviewed = reviews.create(&PostParams::default(), &review).await;
        reviewed.map_err(|error| match &error {
            // Whoever may not ask may still be allowed all of it.
            Error::Api(status) if status.code != 401 => unanswered(operation, &status.message).into(),
            _ => refusal(operation, "selfsubjectaccessreviews", "", &error),
        })
    });
    let review = answered.await.map_err(|refusal| refusal.into_error(operation))?;
    let said = |why: &str| Ok(Answer::Unknown(why.to_owned()));
    match review.status {
        None => said("the cluster's answer has no status"),
        Some(status) if status.allowed => Ok(Answer::Allowed),
        Some(status) if status.denied == Some(true) => Ok(Answer::Missing),
        Some(status) => status
            .evaluation_error
            .filter(|why| !why.is_empty())
            .map_or(Ok(Answer::Missing), |why| said(&why)),
    }
}

/// Nothing is known about permissions.
fn unanswered(operation: &str, why: &str) -> PortError {
    let message = format!("which permissions the account has is not known: {why}");
    PortError::new(Problem::Unreachable, operation, message)
}
