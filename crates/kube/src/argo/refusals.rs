//! What is not gone on with: a `Rollout` in which somebody else has written what decides about versions and shares.

use tagship_ports::{PortError, Problem};

use super::{manifest::runs, steps::Steps, view::View};
use crate::{
    object::text,
    owners::{managers, written_by},
};

/// Refuses where what is written is not what Tagship wrote. Who owns which field does not matter: Argo writes all of them back under
/// its own name.
pub(super) fn refuse_drift(operation: &str, view: &View) -> Result<(), PortError> {
    let Some(rollout) = &view.rollout else { return Ok(()) };
    let template = &rollout.object["spec"]["template"];
    let known = rollout.version.as_ref().and_then(|version| view.memory.versions.get(version));
    let what = match known {
        None => "its pod template is of no version that Tagship wrote",
        Some(known) if !runs(&known.template, template) => "its pods run something else than Tagship wrote",
        Some(_) if rollout.steps == Steps::Other => "its steps are not Tagship's",
        Some(_) => return Ok(()),
    };
    let owns = |fields: &serde_json::Value| {
        let spec = &fields["f:spec"];
        spec.get("f:template").is_some() || spec["f:strategy"]["f:canary"].get("f:steps").is_some()
    };
    let mut others = managers(&rollout.object, owns);
    others.retain(|name| *name != CONTROLLER);
    let name = text(&rollout.object, "/metadata/name");
    Err(PortError::new(
        Problem::Conflict,
        operation,
        format!("Rollout {name} was changed by somebody else: {what}{}", written_by(&others)),
    )
    .hint("take the Rollout out of their manifests, so that Tagship alone writes it; the way back overwrites it"))
}

/// As whom Argo's own controller writes.
const CONTROLLER: &str = "rollouts-controller";
