//! The Deployment and the Service of one version: the team's manifest, with the version's name and what Tagship marks it
//! with.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::{PortError, target::Order};

use super::settings::{OPERATION, wrong};
use crate::{
    cluster::{Kind, MANAGER},
    marks::{DIGEST, VERSION},
    notes::notes,
    template::{Places, Template},
};

/// Digits of the digest in names.
const DIGITS: usize = 8;
pub(super) const MODEL: &str = "tagship/model";
/// The highest fence that an order about the version had.
pub(super) const FENCE: &str = "tagship/fence";
/// Marks that something is decided from.
pub(super) const MARKS: [&str; 4] = [VERSION, DIGEST, MODEL, FENCE];
/// A sum of what a Deployment was made from, which tells whether the manifest has changed since.
pub(super) const MANIFEST: &str = "tagship/manifest";
/// Port on which the pods of a Deployment listen: the one of the settings that it was made with.
const LISTENS: &str = "tagship/port";
/// Port of every version's Service, whichever port its container listens on: the route stays the same for all of them.
pub(super) const PORT: u16 = 80;
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const APP: &str = "app.kubernetes.io/name";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// A Deployment as the team wrote it, with places for the version.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    template: Template,
    port: u16,
}

/// One version that is to be served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) namespace: &'a str,
    /// Name of the route.
    pub(super) app: &'a str,
    pub(super) version: &'a Version,
    pub(super) digest: &'a Digest,
    /// The order that is carried out.
    pub(super) order: &'a Order,
}

/// Labels that find what belongs to a route.
pub(super) fn selector(app: &str) -> String {
    format!("{MANAGED_BY}={MANAGER},{APP}={app}")
}

impl Subject<'_> {
    /// Name of its Deployment and Service.
    pub(super) fn name(&self) -> String {
        let digits: String = self.digest.hex().chars().take(DIGITS).collect();
        format!("{}-{digits}", self.app)
    }

    fn metadata(&self) -> Value {
        let mut metadata = self.marks();
        metadata["name"] = json!(self.name());
        metadata["namespace"] = json!(self.namespace);
        metadata
    }

    /// What its objects are found and told apart by.
    pub(super) fn marks(&self) -> Value {
        let mut annotations = notes(self.order);
        for (key, value) in [
            (VERSION, self.version.to_string()),
            (DIGEST, self.digest.to_string()),
            (MODEL, self.order.model.to_string()),
            (FENCE, self.order.fence.to_string()),
        ] {
            annotations[key] = json!(value);
        }
        json!({ "labels": self.labels(), "annotations": annotations })
    }

    /// Whether an object that has its name was made for it.
    pub(super) fn is_of(&self, object: &Value) -> bool {
        let marks = &object["metadata"]["annotations"];
        let is_marked = |key: &str, value: &str| marks[key] == value;
        is_marked(VERSION, &self.version.to_string())
            && is_marked(DIGEST, &self.digest.to_string())
            && is_marked(MODEL, self.order.model.as_str())
    }

    fn labels(&self) -> Value {
        json!({ MANAGED_BY: MANAGER, APP: self.app, INSTANCE: self.name() })
    }

    fn selected(&self) -> Value {
        json!({ INSTANCE: self.name() })
    }
}

impl Manifest {
    /// Reads the manifest from a file of the repository, and tries it out.
    pub(super) fn read(root: &Path, file: &str, port: u16) -> Result<Self, PortError> {
        let template = Template::read(root, file, OPERATION, "a Deployment")?;
        Self::of(template, port).map_err(|why| wrong(format!("`manifest` {file}: {why}")))
    }

    fn of(template: Template, port: u16) -> Result<Self, String> {
        let manifest = Self { template, port };
        let model = ModelName::new("model").map_err(|error| error.to_string())?;
        let order = Order::new(model, 0);
        let (one, two) = (Digest::from_bytes([0; 32]), Digest::from_bytes([1; 32]));
        let tried = |version: &Version, digest: &Digest| {
            let subject = Subject { namespace: "a", app: "a", version, digest, order: &order };
            manifest.deployment(&subject)?;
            // The name alone changes nothing about what runs, nor does what stands in a comment.
            manifest.parsed(&subject, "name").map(|object| object["spec"]["template"]["spec"].clone())
        };
        if tried(&Version::new(1, 0, 0), &one)? == tried(&Version::new(2, 0, 0), &two)? {
            return Err(
                "its pods use neither {{version}} nor {{digest}}, so that every version would run the same"
                    .to_owned(),
            );
        }
        Ok(manifest)
    }

    /// The Deployment of a version.
    pub(super) fn deployment(&self, subject: &Subject<'_>) -> Result<Value, String> {
        let mut object = self.parsed(subject, &subject.name())?;
        if object["kind"] != "Deployment" || object["apiVersion"] != Kind::Deployment.api_version().as_str() {
            return Err("it holds no Deployment of apps/v1".to_owned());
        }
        let containers = object["spec"]["template"]["spec"]["containers"].as_array();
        if containers.is_none_or(Vec::is_empty) {
            return Err("its Deployment has no `spec.template.spec.containers`".to_owned());
        }
        mark("metadata", &mut object["metadata"], &subject.metadata())?;
        object["spec"]["selector"] = json!({ "matchLabels": subject.selected() });
        let template = json!({ "labels": subject.labels() });
        mark("spec.template.metadata", &mut object["spec"]["template"]["metadata"], &template)?;
        object["metadata"]["annotations"][MANIFEST] = json!(sum(&object["spec"].to_string()));
        object["metadata"]["annotations"][LISTENS] = json!(self.port.to_string());
        Ok(object)
    }

    /// The Service that reaches the pods of a version: those of the Deployment that is there, else those that are made now.
    /// A Deployment that lost its marks says no port; a Service that is there leads to the right one then.
    pub(super) fn service(
        &self,
        subject: &Subject<'_>,
        deployment: Option<&Value>,
        service: Option<&Value>,
    ) -> Value {
        let listens = |there: &Value| there["metadata"]["annotations"][LISTENS].as_str()?.parse::<u16>().ok();
        let led = |there: &Value| there["spec"]["ports"][0].get("targetPort").cloned();
        let known =
            deployment.and_then(|there| listens(there).map(|port| json!(port)).or_else(|| led(service?)));
        let port = known.unwrap_or_else(|| json!(self.port));
        json!({
            "apiVersion": Kind::Service.api_version(), "kind": "Service", "metadata": subject.metadata(),
            "spec": {
                "selector": subject.selected(),
                "ports": [{ "name": "http", "port": PORT, "protocol": "TCP", "targetPort": port }],
            },
        })
    }

    fn parsed(&self, subject: &Subject<'_>, name: &str) -> Result<Value, String> {
        let Subject { version, digest, order, .. } = *subject;
        self.template.object(&Places { model: &order.model, version, digest, name })
    }
}

/// A short sum that stays the same in every build (FNV-1a, 64 bits). It guards nothing: it tells that a text is another one.
fn sum(text: &str) -> String {
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{sum:016x}")
}

/// Lays our marks over what the team wrote there.
fn mark(place: &str, metadata: &mut Value, ours: &Value) -> Result<(), String> {
    if metadata.is_null() {
        *metadata = json!({});
    }
    if !metadata.is_object() {
        return Err(format!("`{place}` is no mapping"));
    }
    for (field, value) in ours.as_object().into_iter().flatten() {
        let there = &mut metadata[field.as_str()];
        match value.as_object() {
            Some(marks) => {
                if there.is_null() {
                    *there = json!({});
                }
                let there =
                    there.as_object_mut().ok_or_else(|| format!("`{place}.{field}` is no mapping"))?;
                there.extend(marks.clone());
            }
            None => *there = value.clone(),
        }
    }
    Ok(())
}
