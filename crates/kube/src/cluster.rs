//! Objects of one namespace: read, listed, made, applied, marked, deleted. Every write is guarded: by not being there, or by
//! the state that it was decided from.

use http::{Request, header::CONTENT_TYPE};
use kube::{
    Api, Client, Error,
    api::{
        ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions,
        ValidationDirective,
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use tagship_ports::{PortError, Problem};

use crate::{
    connection::Connection,
    failure::{Refusal, refusal},
};

/// The name under which Tagship owns fields.
pub(crate) const MANAGER: &str = "tagship";

/// Kinds that are written, or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Route,
    Deployment,
    Service,
    InferenceService,
    /// One state of what Knative serves.
    Revision,
    ConfigMap,
    /// Of Argo Rollouts.
    Rollout,
    /// The pods of one template.
    ReplicaSet,
    /// Of Flagger; only read.
    Canary,
}

impl Kind {
    /// Group, version, plural and kind.
    pub(crate) fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Route => ("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"),
            Self::Deployment => ("apps", "v1", "deployments", "Deployment"),
            Self::Service => ("", "v1", "services", "Service"),
            Self::InferenceService => {
                ("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
            }
            Self::Revision => ("serving.knative.dev", "v1", "revisions", "Revision"),
            Self::ConfigMap => ("", "v1", "configmaps", "ConfigMap"),
            Self::Rollout => ("argoproj.io", "v1alpha1", "rollouts", "Rollout"),
            Self::ReplicaSet => ("apps", "v1", "replicasets", "ReplicaSet"),
            Self::Canary => ("flagger.app", "v1beta1", "canaries", "Canary"),
        }
    }

    /// `apiVersion` of its objects.
    pub(crate) fn api_version(self) -> String {
        let (group, version, ..) = self.parts();
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
    }

    /// Where the objects of a namespace are.
    fn collection(self, namespace: &str) -> String {
        let (group, _, plural, _) = self.parts();
        let base = if group.is_empty() { "/api" } else { "/apis" };
        format!("{base}/{}/namespaces/{namespace}/{plural}", self.api_version())
    }

    fn resource(self) -> ApiResource {
        let (group, version, plural, kind) = self.parts();
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api_version(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }
}

/// Whether a write is only rehearsed: the cluster answers as if, and keeps nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Rehearsed,
    Real,
}

/// A namespace of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) connection: Connection,
}

impl Namespace {
    /// An object; absent where there is none.
    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Result<Option<Value>, PortError> {
        let operation = self.operation("read", kind, name);
        let client = self.connection.client().await?;
        let answer = self.connection.in_time(&operation, async {
            self.api(client, kind).get(name).await.map_err(|error| refused(&operation, kind, name, &error))
        });
        match answer.await {
            Ok(object) => plain(&operation, &object).map(Some),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(refusal.into_error(&operation)),
        }
    }

    /// The objects with these labels.
    pub(crate) async fn list(&self, kind: Kind, labels: &str) -> Result<Vec<Value>, PortError> {
        let operation = format!("list the {} with {labels} in {}", kind.parts().2, self.name);
        self.find(&operation, kind, &ListParams::default().labels(labels)).await
    }

    /// An object whose labels are not known, by the right to list alone.
    pub(crate) async fn named(&self, kind: Kind, name: &str) -> Result<Option<Value>, PortError> {
        let operation = self.operation("look for", kind, name);
        let chosen = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = self.find(&operation, kind, &chosen).await?;
        Ok(found.into_iter().find(|object| object["metadata"]["name"] == name))
    }

    async fn find(&self, operation: &str, kind: Kind, chosen: &ListParams) -> Result<Vec<Value>, PortError> {
        let client = self.connection.client().await?;
        let found = self.connection.in_time(operation, async {
            self.api(client, kind).list(chosen).await.map_err(|error| refused(operation, kind, "", &error))
        });
        let found = found.await.map_err(|refusal| refusal.into_error(operation))?;
        found.items.iter().map(|object| plain(operation, object)).collect()
    }

    /// Makes an object that must not be there yet; unknown fields are refused.
    pub(crate) async fn create(&self, kind: Kind, object: &Value, write: Write) -> Result<Value, Refusal> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let operation = self.operation("make", kind, name);
        let rehearsed = if write == Write::Rehearsed { "&dryRun=All" } else { "" };
        let path = kind.collection(&self.name);
        let path = format!("{path}?fieldManager={MANAGER}&fieldValidation=Strict{rehearsed}");
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        self.send(&operation, kind, name, request, object).await
    }

    /// Applies what we say about an object that is there. Never forced: what others own stays theirs.
    pub(crate) async fn apply(&self, kind: Kind, object: &Value, write: Write) -> Result<(), Refusal> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let operation = self.operation("apply", kind, name);
        let mut how = PatchParams::apply(MANAGER);
        how.dry_run = write == Write::Rehearsed;
        self.patch(&operation, kind, name, &how, &Patch::Apply(object)).await.map(|_| ())
    }

    /// Merges into an object, where it still is as it was read.
    pub(crate) async fn merge(
        &self,
        kind: Kind,
        read: &Value,
        mut change: Value,
        write: Write,
    ) -> Result<Value, Refusal> {
        let metadata = &read["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let operation = self.operation("mark", kind, name);
        for guard in ["uid", "resourceVersion"] {
            change["metadata"][guard] = metadata[guard].clone();
        }
        let how = PatchParams {
            dry_run: write == Write::Rehearsed,
            field_manager: Some(MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::default()
        };
        self.patch(&operation, kind, name, &how, &Patch::Merge(&change)).await
    }

    /// Makes what we own by having made an object ours by applying, so that an apply does not take us for somebody else.
    /// Clients do so that change from one way to the other (`csaupgrade` of client-go).
    pub(crate) async fn adopt(&self, kind: Kind, read: &Value) -> Result<(), Refusal> {
        let metadata = &read["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let operation = self.operation("own", kind, name);
        let mut owners = metadata["managedFields"].clone();
        for owner in owners.as_array_mut().into_iter().flatten().filter(|owner| is_maker(owner)) {
            owner["operation"] = json!("Apply");
        }
        let change = json!([
            { "op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"] },
            { "op": "replace", "path": "/metadata/managedFields", "value": owners },
        ]);
        let path = format!("{}/{name}?fieldManager={MANAGER}", kind.collection(&self.name));
        let request = Request::patch(path).header(CONTENT_TYPE, "application/json-patch+json");
        match self.send(&operation, kind, name, request, &change).await {
            // A test that fails is not told as a conflict.
            Err(Refusal::Failed(error)) if error.problem == Problem::Invalid => Err(Refusal::Stale),
            other => other.map(|_| ()),
        }
    }

    /// Deletes an object, where it still is as it was read; one that is not there is deleted already.
    pub(crate) async fn delete(&self, kind: Kind, read: &Value) -> Result<(), Refusal> {
        let text = |field: &str| read["metadata"][field].as_str().map(str::to_owned);
        let name = text("name").unwrap_or_default();
        let operation = self.operation("delete", kind, &name);
        let client = self.connection.client().await?;
        let guard = Preconditions { resource_version: text("resourceVersion"), uid: text("uid") };
        let how = DeleteParams::background().preconditions(guard);
        let deleted = self.connection.in_time(&operation, async {
            let deleted = self.api(client, kind).delete(&name, &how).await;
            deleted.map(|_| ()).map_err(|error| refused(&operation, kind, &name, &error))
        });
        match deleted.await {
            Err(Refusal::Absent) => Ok(()),
            other => other,
        }
    }

    async fn patch(
        &self,
        operation: &str,
        kind: Kind,
        name: &str,
        how: &PatchParams,
        patch: &Patch<impl Serialize + std::fmt::Debug>,
    ) -> Result<Value, Refusal> {
        let client = self.connection.client().await?;
        let patched = self.connection.in_time(operation, async {
            let patched = self.api(client, kind).patch(name, how, patch).await;
            patched.map_err(|error| refused(operation, kind, name, &error))
        });
        Ok(plain(operation, &patched.await?)?)
    }

    async fn send(
        &self,
        operation: &str,
        kind: Kind,
        name: &str,
        request: http::request::Builder,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let request = request.body(body.to_string().into_bytes());
        let request =
            request.map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))?;
        let client = self.connection.client().await?;
        self.connection
            .in_time(operation, async {
                client.request::<Value>(request).await.map_err(|error| refused(operation, kind, name, &error))
            })
            .await
    }

    fn api(&self, client: &Client, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), &self.name, &kind.resource())
    }

    fn operation(&self, verb: &str, kind: Kind, name: &str) -> String {
        format!("{verb} {} {}/{name}", kind.parts().3, self.name)
    }
}

/// Whether we own something of an object by having made it, and not by having applied it.
pub(crate) fn is_made(object: &Value) -> bool {
    object["metadata"]["managedFields"].as_array().is_some_and(|owners| owners.iter().any(is_maker))
}

fn is_maker(owner: &Value) -> bool {
    owner["manager"] == MANAGER && owner["operation"] == "Update" && owner["subresource"].is_null()
}

fn refused(operation: &str, kind: Kind, name: &str, error: &Error) -> Refusal {
    refusal(operation, kind.parts().2, name, error)
}

fn plain(operation: &str, object: &impl Serialize) -> Result<Value, PortError> {
    serde_json::to_value(object)
        .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))
}
