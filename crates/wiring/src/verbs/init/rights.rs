//! `tagship init --target KIND --rbac`: what the targets of the configuration need on their clusters, as manifests.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use serde_json::json;
use tagship_domain::Exit;
use tagship_kube::{KINDS, Rights, rbac};
use tagship_runner::Failure;

use crate::{answer::Answer, project::read_config, workspace::located};

/// The Roles of all targets of a kind that the configuration names, each once, by the cluster that they are for.
pub(super) fn run(kind: &str, config: &Path, root: &Path) -> Result<Answer, Failure> {
    if !KINDS.contains(&kind) {
        return Err(Failure::usage(format!("--target: {kind:?} needs no rights on a cluster"))
            .hint(format!("kinds that do are {}", KINDS.join(", "))));
    }
    let read = read_config(config, root)?;
    let mut all = BTreeSet::new();
    let places =
        read.models.values().flat_map(|model| model.environments.values().map(move |place| (model, place)));
    for (model, place) in places.filter(|(_, place)| place.target.kind == kind) {
        if let Some(rights) = rbac(kind, &place.target.settings, model.validate.golden.is_some()) {
            all.insert(rights.map_err(|error| located(&error, &place.target))?);
        }
    }
    if all.is_empty() {
        let message = format!("--rbac: no environment of {} has a target of kind {kind}", config.display());
        return Err(Failure::usage(message).hint("write the target into `environments` first"));
    }
    let text = grouped(&all);
    let document = json!({ "manifests": text }).to_string();
    Ok(Answer::plain(Exit::Done, "printed", "done", text, document))
}

/// The manifests, with a line above those of each context.
fn grouped(all: &BTreeSet<Rights>) -> String {
    let (mut text, mut before) = (String::new(), None);
    for rights in all {
        if before.replace(&rights.context) != Some(&rights.context) {
            let context = rights
                .context
                .as_ref()
                .map_or_else(|| "the current context".to_owned(), |name| format!("context {name:?}"));
            let _ = writeln!(text, "# For {context} of the kubeconfig");
        }
        text += &rights.manifests;
    }
    text
}
