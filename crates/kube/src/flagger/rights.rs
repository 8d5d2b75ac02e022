//! Everything that target `flagger` asks of a cluster: to read. Which Deployments a `Canary` has is not known before it is read.

use crate::{
    access::{Access, Need},
    cluster::Kind,
};

pub(crate) fn access<'a>(namespace: &'a str, name: &str) -> Access<'a> {
    let needs = vec![Need::one(Kind::Canary, &["get"], name), Need::any(Kind::Deployment, &["get"])];
    Access { target: "flagger", namespace, role: format!("tagship-flagger-{name}"), needs }
}
