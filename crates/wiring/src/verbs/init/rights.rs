//! `tagship init --target KIND --rbac`: what the targets of the configuration need on their clusters, as manifests.

use std::{collections::BTreeSet, path::Path};

use serde_json::json;
use tagship_domain::Exit;
use tagship_kube::{KINDS, rbac};
use tagship_runner::Failure;

use crate::{answer::Answer, project::read_config, workspace::located};

/// The Roles of all targets of a kind that the configuration names, each once.
pub(super) fn run(kind: &str, config: &Path, root: &Path) -> Result<Answer, Failure> {
    if !KINDS.contains(&kind) {
        return Err(Failure::usage(format!("--target: {kind:?} needs no rights on a cluster"))
            .hint(format!("kinds that do are {}", KINDS.join(", "))));
    }
    let read = read_config(config, root)?;
    let mut texts = BTreeSet::new();
    for target in
        read.models.values().flat_map(|model| model.environments.values()).map(|place| &place.target)
    {
        if target.kind == kind
            && let Some(text) = rbac(kind, &target.settings)
        {
            texts.insert(text.map_err(|error| located(&error, target))?);
        }
    }
    if texts.is_empty() {
        let message = format!("--rbac: no environment of {} has a target of kind {kind}", config.display());
        return Err(Failure::usage(message).hint("write the target into `environments` first"));
    }
    let text: String = texts.into_iter().collect();
    let document = json!({ "manifests": text }).to_string();
    Ok(Answer::plain(Exit::Done, "printed", "done", text, document))
}
