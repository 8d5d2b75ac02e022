//! Everything that target `gateway-api` asks of a cluster. The route is named where a rule can name it; names of versions are
//! not known before.

use crate::{
    access::{Access, Need},
    cluster::Kind,
};

/// `endpoints`: whether golden cases will ask the versions.
pub(crate) fn access<'a>(namespace: &'a str, route: &str, endpoints: bool) -> Access<'a> {
    let mut needs = vec![
        Need::one(Kind::Route, &["get", "patch"], route),
        Need::any(Kind::Route, &["create"]),
        Need::any(Kind::Deployment, &["list", "create", "patch", "delete"]),
        Need::any(Kind::Service, &["get", "create", "patch", "delete"]),
    ];
    if endpoints {
        needs.push(Need::asking());
    }
    Access { target: "gateway-api", namespace, role: format!("tagship-{route}"), needs }
}
