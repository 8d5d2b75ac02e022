//! Everything that target `argo-rollouts` asks of a cluster: three objects by name, whose making knows no names, and the
//! `ReplicaSet`s and pods of the one, whose names are not known before. Nothing is written to a status.

use super::settings::{canary_service, stable_service};
use crate::{
    access::{Access, Need},
    cluster::Kind,
};

/// `endpoints`: whether golden cases will ask the versions.
pub(crate) fn access<'a>(namespace: &'a str, name: &str, endpoints: bool) -> Access<'a> {
    let mut needs = vec![
        Need::one(Kind::Rollout, &["get", "patch", "delete"], name),
        Need::any(Kind::Rollout, &["create"]),
        Need::one(Kind::Service, &["get", "patch"], stable_service(name)),
        Need::one(Kind::Service, &["get"], canary_service(name)),
        Need::any(Kind::Service, &["create"]),
        Need::any(Kind::ReplicaSet, &["get"]),
        Need::asking_whether_ready(),
    ];
    if endpoints {
        needs.push(Need::asking());
    }
    Access { target: "argo-rollouts", namespace, role: format!("tagship-argo-{name}"), needs }
}
