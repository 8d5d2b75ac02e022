//! New commits on a branch, and pushed version tags.

use tagship_domain::{
    CommitId, ModelName,
    decision::{Action, DecisionItem, ReasonCode},
    event::Trigger,
};
use tagship_registry::{Action as TagAction, TagEvent};

use super::{Decided, at_checkout, environments_or_none, per_environment};
use crate::{deploy::Subject, state::RepositoryState};

/// New commits on a branch: deploy every model whose bytes an environment does not hold.
pub(super) fn on_branch(
    trigger: &Trigger,
    repository: &RepositoryState,
    branch: Option<&str>,
    sha: &CommitId,
) -> Decided {
    let default = &trigger.default_branch;
    if branch != Some(default) {
        let branch = branch.unwrap_or("an unknown branch");
        // Whoever renamed the default branch sees this when somebody goes on with the old name.
        let sentence = format!(
            "{branch} is not the default branch {default}, the only one whose commits are deployed; where the default branch \
             has changed, push to {default} and name it in the workflow's `branches` and `ref`"
        );
        return Err((ReasonCode::NotDefaultBranch, sentence));
    }
    at_checkout(trigger, sha)?;
    Ok(per_environment(repository, |subject| subject.deploy_checkout(false)))
}

/// A pushed version tag deploys that version; every other tag is skipped. A tag that another tool made names no
/// bytes yet: those of its commit are released as the version it says.
pub(super) fn on_tag(
    trigger: &Trigger,
    repository: &RepositoryState,
    tag: &str,
    commit: &CommitId,
) -> Decided {
    let registered = match TagEvent::parse(tag) {
        Ok(TagEvent { model, action: TagAction::Register(version), .. }) => {
            ModelName::new(model).ok().zip(Some(version))
        }
        _ => None,
    };
    let Some((model, version)) = registered else {
        return Err((ReasonCode::NotAVersionTag, format!("tag {tag:?} registers no version of a model")));
    };
    let Some(state) = repository.models.get(&model) else {
        return Err((
            ReasonCode::NotConfigured,
            format!("tag {tag:?} is about {model}, which is not configured"),
        ));
    };
    let is_released = state.release(&version).is_some();
    if !is_released {
        at_checkout(trigger, commit)?;
    }
    let deploy = |subject: Subject<'_>| {
        let item = if is_released {
            subject.deploy_version(&version, false)
        } else {
            subject.deploy_checkout(false)
        };
        let pushed = item.action == Action::Deploy;
        DecisionItem {
            reason_code: if pushed { ReasonCode::VersionTagPushed } else { item.reason_code },
            ..item
        }
    };
    Ok(environments_or_none(&model, state, deploy))
}
