//! Objects of one namespace: read, listed, applied, deleted.

use std::fmt::Debug;

use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::Value;
use tagship_ports::{PortError, Problem};

use crate::{
    connection::Connection,
    failure::{Refusal, refusal},
};

/// The name under which Tagship owns fields.
pub(crate) const MANAGER: &str = "tagship";

/// Kinds that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Route,
    Deployment,
    Service,
}

impl Kind {
    /// Group, version, plural and kind.
    pub(crate) fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Route => ("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"),
            Self::Deployment => ("apps", "v1", "deployments", "Deployment"),
            Self::Service => ("", "v1", "services", "Service"),
        }
    }

    /// `apiVersion` of its objects.
    pub(crate) fn api_version(self) -> String {
        let (group, version, ..) = self.parts();
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
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
            self.api(client, kind).get_opt(name).await.map_err(|error| refusal(&operation, &error))
        });
        answer
            .await
            .map_err(|refused| settled(&operation, refused))?
            .map(|object| plain(&operation, &object))
            .transpose()
    }

    /// The objects with these labels.
    pub(crate) async fn list(&self, kind: Kind, labels: &str) -> Result<Vec<Value>, PortError> {
        let operation = format!("list the {} with {labels} in {}", kind.parts().2, self.name);
        let client = self.connection.client().await?;
        let found = self.connection.in_time(&operation, async {
            let chosen = ListParams::default().labels(labels);
            self.api(client, kind).list(&chosen).await.map_err(|error| refusal(&operation, &error))
        });
        let found = found.await.map_err(|refused| settled(&operation, refused))?;
        found.items.iter().map(|object| plain(&operation, object)).collect()
    }

    /// Applies what we say about an object. Never forced: what others own stays theirs.
    pub(crate) async fn apply(&self, kind: Kind, object: &Value, write: Write) -> Result<(), Refusal> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let operation = self.operation("apply", kind, name);
        let client = self.connection.client().await?;
        let mut how = PatchParams::apply(MANAGER);
        how.dry_run = write == Write::Rehearsed;
        self.connection
            .in_time(&operation, async {
                let applied = self.api(client, kind).patch(name, &how, &Patch::Apply(object)).await;
                applied.map(|_| ()).map_err(|error| refusal(&operation, &error))
            })
            .await
    }

    /// Deletes an object; one that is not there is deleted already.
    pub(crate) async fn delete(&self, kind: Kind, name: &str) -> Result<(), PortError> {
        let operation = self.operation("delete", kind, name);
        let client = self.connection.client().await?;
        let deleted = self.connection.in_time(&operation, async {
            let deleted = self.api(client, kind).delete(name, &DeleteParams::background()).await;
            deleted.map(|_| ()).map_err(|error| refusal(&operation, &error))
        });
        match deleted.await {
            Err(Refusal::Failed(error)) if error.problem == Problem::NotFound => Ok(()),
            other => other.map_err(|refused| settled(&operation, refused)),
        }
    }

    fn api(&self, client: &Client, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), &self.name, &kind.resource())
    }

    fn operation(&self, verb: &str, kind: Kind, name: &str) -> String {
        format!("{verb} {} {}/{name}", kind.parts().3, self.name)
    }
}

/// A conflict where none can be decided anew.
fn settled(operation: &str, refused: Refusal) -> PortError {
    match refused {
        Refusal::Failed(error) => error,
        Refusal::Stale => {
            PortError::new(Problem::Unreachable, operation, "somebody else writes at the same time")
        }
    }
}

fn plain(operation: &str, object: &(impl serde::Serialize + Debug)) -> Result<Value, PortError> {
    serde_json::to_value(object)
        .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))
}
