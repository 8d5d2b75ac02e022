//! The Deployment and the Service of one version: the team's manifest, with the version's name and what Tagship marks it
//! with.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::{PortError, Problem};

use super::settings::wrong;
use crate::cluster::{Kind, MANAGER};

/// Largest manifest, in bytes.
const LARGEST: u64 = 1 << 20;
/// Digits of the digest in names.
const DIGITS: usize = 8;
pub(super) const VERSION: &str = "tagship/version";
pub(super) const DIGEST: &str = "tagship/digest";
pub(super) const MODEL: &str = "tagship/model";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const APP: &str = "app.kubernetes.io/name";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// A Deployment as the team wrote it, with places for the version.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    text: String,
    port: u16,
}

/// One version that is to be served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) namespace: &'a str,
    /// Name of the route.
    pub(super) app: &'a str,
    pub(super) model: &'a ModelName,
    pub(super) version: &'a Version,
    pub(super) digest: &'a Digest,
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
        json!({
            "name": self.name(), "namespace": self.namespace, "labels": self.labels(),
            "annotations": {
                VERSION: self.version.to_string(), DIGEST: self.digest.to_string(), MODEL: self.model.as_str(),
            },
        })
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
        let path = root.join(file);
        let is_inside = path
            .canonicalize()
            .ok()
            .zip(root.canonicalize().ok())
            .is_some_and(|(path, root)| path.starts_with(root));
        if !is_inside {
            return Err(wrong(format!("`manifest` is no file of the repository: {file:?}"))
                .hint("name a file with a Deployment, from the repository's top"));
        }
        let size = std::fs::metadata(&path).map(|metadata| metadata.len());
        let text = match size {
            Ok(size) if size > LARGEST => Err(format!("it has {size} bytes, more than {LARGEST}")),
            Ok(_) => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let text = text.map_err(|why| PortError::new(Problem::Local, format!("read {file}"), why))?;
        Self::new(text, port).map_err(|why| wrong(format!("`manifest` {file}: {why}")))
    }

    pub(super) fn new(text: String, port: u16) -> Result<Self, String> {
        if !["{{version}}", "{{digest}}", "{{digest-hex}}"].iter().any(|place| text.contains(place)) {
            return Err(
                "it names neither {{version}} nor {{digest}}, so that every version would run the same"
                    .to_owned(),
            );
        }
        let manifest = Self { text, port };
        let digest = Digest::from_bytes([0; 32]);
        let model = ModelName::new("model").map_err(|error| error.to_string())?;
        let version = Version::new(1, 0, 0);
        let tried = Subject { namespace: "a", app: "a", model: &model, version: &version, digest: &digest };
        manifest.deployment(&tried).map(|_| manifest)
    }

    /// The Deployment of a version.
    pub(super) fn deployment(&self, subject: &Subject<'_>) -> Result<Value, String> {
        let mut object =
            tagship_config::yaml::to_json(&self.filled(subject)).map_err(|error| error.to_string())?;
        if object["kind"] != "Deployment" || object["apiVersion"] != Kind::Deployment.api_version().as_str() {
            return Err("it holds no Deployment of apps/v1".to_owned());
        }
        let containers = object["spec"]["template"]["spec"]["containers"].as_array();
        if containers.is_none_or(Vec::is_empty) {
            return Err("its Deployment has no `spec.template.spec.containers`".to_owned());
        }
        mark(&mut object["metadata"], &subject.metadata())?;
        object["spec"]["selector"] = json!({ "matchLabels": subject.selected() });
        let template = json!({ "labels": subject.labels() });
        mark(&mut object["spec"]["template"]["metadata"], &template)?;
        Ok(object)
    }

    /// The Service that reaches the pods of a version.
    pub(super) fn service(&self, subject: &Subject<'_>) -> Value {
        json!({
            "apiVersion": Kind::Service.api_version(), "kind": "Service", "metadata": subject.metadata(),
            "spec": {
                "selector": subject.selected(),
                "ports": [{ "name": "http", "port": self.port, "protocol": "TCP", "targetPort": self.port }],
            },
        })
    }

    fn filled(&self, subject: &Subject<'_>) -> String {
        let mut text = self.text.clone();
        for (place, value) in [
            ("{{model}}", subject.model.as_str().to_owned()),
            ("{{version}}", subject.version.to_string()),
            ("{{digest}}", subject.digest.to_string()),
            ("{{digest-hex}}", subject.digest.hex().to_owned()),
            ("{{name}}", subject.name()),
        ] {
            text = text.replace(place, &value);
        }
        text
    }
}

/// Lays our marks over what the team wrote there.
fn mark(metadata: &mut Value, ours: &Value) -> Result<(), String> {
    if metadata.is_null() {
        *metadata = json!({});
    }
    for (field, value) in ours.as_object().into_iter().flatten() {
        let there = &mut metadata[field.as_str()];
        match value.as_object() {
            Some(marks) => {
                if there.is_null() {
                    *there = json!({});
                }
                let there =
                    there.as_object_mut().ok_or_else(|| format!("`metadata.{field}` is no mapping"))?;
                there.extend(marks.clone());
            }
            None => *there = value.clone(),
        }
    }
    Ok(())
}
