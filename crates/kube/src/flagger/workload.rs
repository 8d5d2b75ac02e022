//! The two Deployments of a `Canary`: the one that the team writes, and the primary one, which Flagger writes and which serves.

use serde_json::Value;
use tagship_domain::{Digest, Timestamp, Version};

use crate::{
    marks::{DIGEST, VERSION, marked},
    object::text,
};

/// A version that a pod template says it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) version: Version,
    pub(super) digest: Digest,
}

/// A Deployment.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    /// Its name.
    pub(super) name: String,
    /// What its pod template is of; absent where that does not say, or it is not there.
    pub(super) mark: Option<Mark>,
    /// When its pod template was written last, at the latest; absent where the cluster does not tell.
    pub(super) written: Option<Timestamp>,
    /// What it says instead of a version.
    unmarked: String,
}

impl Workload {
    /// Reads a Deployment; absent where there is none.
    pub(super) fn read(name: &str, object: Option<&Value>) -> Self {
        let template = object.map(|object| &object["spec"]["template"]);
        let mark = template.and_then(marked).map(|(version, digest)| Mark { version, digest });
        Self {
            name: name.to_owned(),
            mark,
            written: object.and_then(written),
            unmarked: template.map_or_else(|| "is not there".to_owned(), unmarked),
        }
    }

    /// What it carries, as a sentence without an end.
    pub(super) fn story(&self) -> String {
        match &self.mark {
            Some(mark) => format!("Deployment {} carries {}", self.name, mark.version),
            None => format!("Deployment {} {}", self.name, self.unmarked),
        }
    }
}

fn unmarked(template: &Value) -> String {
    let said =
        |key: &str| text(&template["metadata"]["annotations"], &format!("/{}", key.replace('/', "~1")));
    match (said(VERSION), said(DIGEST)) {
        ("", "") => format!("has a pod template without the annotations `{VERSION}` and `{DIGEST}`"),
        (version, digest) => format!(
            "has a pod template with `{VERSION}: {version:?}` and `{DIGEST}: {digest:?}`, which are no version and no digest \
             (`v1.4.0`, `sha256:...`)"
        ),
    }
}

/// When somebody wrote the pod template last: each writer's time is that of its newest write, of whatever it owns, so that this is
/// never too early.
fn written(object: &Value) -> Option<Timestamp> {
    let writers = object["metadata"]["managedFields"].as_array()?.iter();
    let templates = writers.filter(|writer| {
        writer["subresource"].is_null() && !writer["fieldsV1"]["f:spec"]["f:template"].is_null()
    });
    templates.filter_map(|writer| text(writer, "/time").parse().ok()).max()
}
