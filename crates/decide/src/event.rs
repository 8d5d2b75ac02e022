//! What each kind of event leads to.

mod change;
mod proposal;
pub(crate) mod published;
mod schedule;

use tagship_domain::{
    CommitId, ModelName,
    decision::{Action, Decision, DecisionItem, ReasonCode},
    event::{Event, Trigger},
};

use crate::{
    deploy::Subject,
    person,
    state::{ArtifactState, ModelState, RepositoryState},
};

/// Decides what an event leads to. Total: an event that nothing follows from is skipped with a reason.
pub fn decide(trigger: &Trigger, repository: &RepositoryState) -> Decision {
    let decided = match &trigger.event {
        Event::Push { after: None, .. } | Event::TagPush { after: None, .. } => {
            no(ReasonCode::RefDeleted, "a branch or tag was deleted; there is nothing to deploy")
        }
        Event::Push { branch, after: Some(after) } => {
            change::on_branch(trigger, repository, Some(branch), after)
        }
        Event::TagPush { tag, after: Some(after) } => change::on_tag(trigger, repository, tag, after),
        Event::PullRequest(pull) => proposal::on_pull_request(trigger, repository, pull),
        Event::MergeGroup { sha, base } => proposal::on_merge_group(trigger, repository, sha, base),
        Event::WorkflowRun { workflow, succeeded: false, .. } => {
            no(ReasonCode::WorkflowFailed, format!("workflow {workflow:?} did not succeed"))
        }
        Event::WorkflowRun { workflow, from_fork: true, .. } => {
            no(ReasonCode::FromFork, format!("workflow {workflow:?} ran for a commit of a fork"))
        }
        Event::WorkflowRun { branch, sha, .. } => {
            change::on_branch(trigger, repository, branch.as_deref(), sha)
        }
        Event::Checks { checks, succeeded: false, .. } => {
            no(ReasonCode::ChecksFailed, format!("{checks:?} did not succeed"))
        }
        Event::Checks { branch, sha, .. } => change::on_branch(trigger, repository, branch.as_deref(), sha),
        Event::Deployment { environment, succeeded: false, .. } => {
            no(ReasonCode::DeploymentFailed, format!("the deployment to {environment:?} did not succeed"))
        }
        Event::Deployment { reference, sha, .. } => {
            let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            change::on_branch(trigger, repository, Some(branch), sha)
        }
        Event::ReleasePublished { tag, at } => published::on_release(trigger, repository, tag, at.as_ref()),
        Event::PackagePublished { package, version } => {
            published::on_package(repository, package, version.as_deref())
        }
        Event::ModelVersion(created) => published::on_model_version(repository, created),
        Event::Continue(next) => schedule::on_continue(repository, next),
        Event::Schedule => schedule::by_clock(repository),
        Event::Manual(request) => person::answer(request, repository),
        Event::Comment(command) => no(
            ReasonCode::CommandPending,
            format!("a command of {:?} waits until it is known what they may do", command.author),
        ),
        Event::Irrelevant { why, .. } => no(ReasonCode::EventIgnored, why.as_str()),
        Event::Other { kind } => {
            no(ReasonCode::UnknownEvent, format!("event {kind:?} is none that tagship acts on"))
        }
    };
    conclude(trigger, decided)
}

pub(crate) type Decided = Result<Vec<DecisionItem>, person::Refusal>;

fn no(reason_code: ReasonCode, sentence: impl Into<String>) -> Decided {
    Err((reason_code, sentence.into()))
}

/// The decision that items, or the lack of them, make.
pub(crate) fn conclude(trigger: &Trigger, decided: Decided) -> Decision {
    let sha = trigger.event.sha().unwrap_or(&trigger.head).clone();
    let pull_request = trigger.event.pull_request();
    match decided {
        Ok(items) => sum_up(items, sha, pull_request),
        Err((reason_code, sentence)) => {
            Decision { action: Action::Skip, reason_code, sentence, sha, pull_request, items: vec![] }
        }
    }
}

/// The bytes of the checkout are those of the event's commit.
fn at_checkout(trigger: &Trigger, sha: &CommitId) -> Result<(), person::Refusal> {
    if trigger.head == *sha {
        return Ok(());
    }
    let sentence = format!(
        "the event is about commit {}, the checkout is at {}; check out the commit of the event",
        sha.short(),
        trigger.head.short()
    );
    Err((ReasonCode::WrongCheckout, sentence))
}

fn per_environment(
    repository: &RepositoryState,
    judge: impl Fn(Subject<'_>) -> DecisionItem,
) -> Vec<DecisionItem> {
    repository.models.iter().flat_map(|(name, model)| environments_or_none(name, model, &judge)).collect()
}

/// A model without environments still gets an item, so that its bytes are validated.
pub(crate) fn environments_or_none(
    name: &ModelName,
    model: &ModelState,
    judge: impl Fn(Subject<'_>) -> DecisionItem,
) -> Vec<DecisionItem> {
    if !model.environments.is_empty() {
        return Subject::all(name, model).map(judge).collect();
    }
    let bare = |action, reason_code, sentence, digest| DecisionItem {
        model: name.clone(),
        environment: None,
        action,
        reason_code,
        sentence,
        digest,
        version: None,
    };
    vec![match &model.artifact {
        ArtifactState::Missing(why) => {
            let sentence = format!("the artifact of {name} is not in this checkout: {why}");
            bare(Action::Skip, ReasonCode::ArtifactMissing, sentence, None)
        }
        ArtifactState::Present(digest) if model.release_of(digest).is_some() => {
            let sentence = format!("these bytes of {name} are released, and no environment is configured");
            bare(Action::Skip, ReasonCode::NoEnvironment, sentence, Some(digest.clone()))
        }
        ArtifactState::Present(digest) => {
            let sentence = format!("{name} has no environment: validate and gate it, deploy nothing");
            bare(Action::ValidateOnly, ReasonCode::NoEnvironment, sentence, Some(digest.clone()))
        }
    }]
}

/// The strongest action speaks for all; several items with different reasons are `several`.
fn sum_up(items: Vec<DecisionItem>, sha: CommitId, pull_request: Option<u64>) -> Decision {
    let Some(strongest) = items.iter().max_by_key(|item| item.action) else {
        let sentence = "no model is configured".to_owned();
        return Decision {
            action: Action::Skip,
            reason_code: ReasonCode::NothingToDo,
            sentence,
            sha,
            pull_request,
            items,
        };
    };
    let action = strongest.action;
    let agreeing: Vec<_> = items.iter().filter(|item| item.action == action).collect();
    let (reason_code, sentence) = match agreeing.as_slice() {
        [only] => (only.reason_code, only.sentence.clone()),
        several => {
            let same = several.iter().all(|item| item.reason_code == strongest.reason_code);
            let code = if same { strongest.reason_code } else { ReasonCode::Several };
            let sentences: Vec<_> = several.iter().map(|item| item.sentence.as_str()).collect();
            (code, sentences.join("; "))
        }
    };
    Decision { action, reason_code, sentence, sha, pull_request, items }
}

#[cfg(test)]
mod tests;
