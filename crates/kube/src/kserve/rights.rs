//! Everything that target `kserve` asks of a cluster: two objects by name, whose making knows no names, and
//! the revisions of the one with their pods, whose names are not known before.

use super::settings::{Mode, notebook};
use crate::{
    access::{Access, Need},
    cluster::Kind,
};

/// `endpoints`: whether golden cases will ask the versions.
pub(crate) fn access<'a>(namespace: &'a str, name: &str, mode: Mode, endpoints: bool) -> Access<'a> {
    let mut needs = vec![
        Need::one(Kind::InferenceService, &["get", "patch", "delete"], name),
        Need::any(Kind::InferenceService, &["create"]),
        Need::one(Kind::ConfigMap, &["get", "patch"], notebook(name)),
        Need::any(Kind::ConfigMap, &["create"]),
        match mode {
            Mode::Knative => Need::any(Kind::Revision, &["get"]),
            Mode::Standard => Need::one(Kind::Route, &["get"], name),
        },
        Need::asking_whether_ready(),
    ];
    if endpoints {
        needs.push(Need::asking());
    }
    // Another target may have a route of the same name.
    Access { target: "kserve", namespace, role: format!("tagship-kserve-{name}"), needs }
}
